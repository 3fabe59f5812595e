# What the step writes for each study besides the Markdown table.
TABLES = [".csv", ".tex", "_runs.csv"]


rule table:
    input:
        records=records_of,
        logs=logs_of,
    output:
        markdown=report(
            f"{RESULTS}/{{suite}}/tables/{{study}}.md",
            caption="../report/table.rst",
            category="Tables",
            labels={"study": "{study}", "suite": "{suite}", "format": "Markdown"},
        ),
        tables=[f"{RESULTS}/{{suite}}/tables/{{study}}{end}" for end in TABLES],
        manifest=f"{RESULTS}/{{suite}}/tables/{{study}}_manifest.json",
    log:
        f"{RESULTS}/logs/table/{{suite}}/{{study}}.log",
    benchmark:
        f"{RESULTS}/usage/table/{{suite}}/{{study}}.tsv"
    conda:
        ENVIRONMENT
    params:
        settings=lambda wildcards: repr(STUDIES[wildcards.suite][wildcards.study]),
    shell:
        f"{STEP}.table {arguments('seeds', 'studies', 'variants', 'full')} suite={{wildcards.suite}} study={{wildcards.study}} > {{log}} 2>&1"


def results_of(suite):
    """Return the tables and figures of a suite."""
    return [
        rules.table.output.markdown.format(suite=suite, study=study)
        for study in STUDIES[suite]
    ]
