# What tables of facts are made from besides records, where the task has facts.
HAS_FACTS = "facts.csv" in EXPERIMENT.task.reports
FACT_FILES = (
    [REPORT_FILES["report_facts.csv"], *BENCHMARK_FILES.values()] if HAS_FACTS else []
)


rule table:
    input:
        records=records_of,
        logs=logs_of,
        facts=FACT_FILES,
        analysis=config_dir() / "claims.yaml",
    output:
        tables=[f"{RESULTS}/{{suite}}/tables/{{study}}{end}" for end in STUDY_TABLES],
        manifest=f"{RESULTS}/{{suite}}/tables/{{study}}_manifest.json",
    log:
        f"{RESULTS}/logs/table/{{suite}}/{{study}}.log",
    benchmark:
        f"{RESULTS}/usage/table/{{suite}}/{{study}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        runtime=runtime("report"),
        mem_mb=memory("report"),
    params:
        arguments=arguments(*SUITE_SETTINGS),
        settings=lambda wildcards: [
            settings(EXPERIMENT.statistics),
            repr(STUDIES[wildcards.suite][wildcards.study]),
        ],
    message:
        "tables of {wildcards.study}, suite {wildcards.suite}"
    shell:
        "python -m maspo.steps.table {params.arguments:q} suite={wildcards.suite} "
        "tables_of={wildcards.study:q} > {log:q} 2>&1"


rule claims:
    input:
        records=records_of,
        logs=logs_of,
        manifests=manifests_of,
        analysis=config_dir() / "claims.yaml",
        published=config_dir() / "published" / "results.csv",
    output:
        tables=[f"{RESULTS}/{{suite}}/tables/{name}" for name in SUITE_TABLES],
        claims=[f"{RESULTS}/{{suite}}/{name}" for name in CLAIMS],
        manifest=f"{RESULTS}/{{suite}}/claims_manifest.json",
    log:
        f"{RESULTS}/logs/claims/{{suite}}.log",
    benchmark:
        f"{RESULTS}/usage/claims/{{suite}}.tsv"
    conda:
        ENVIRONMENT
    resources:
        runtime=runtime("report"),
        mem_mb=memory("report"),
    params:
        arguments=arguments(*SUITE_SETTINGS),
        settings=lambda wildcards: [
            settings(EXPERIMENT.statistics),
            repr(STUDIES[wildcards.suite]),
        ],
    message:
        "claims of the suite {wildcards.suite}"
    shell:
        "python -m maspo.steps.claims {params.arguments:q} suite={wildcards.suite} > {log:q} 2>&1"
