rule data:
    output:
        train=f"{RESULTS}/data/train.parquet",
        benchmarks=expand(
            f"{RESULTS}/data/benchmarks/{{name}}.parquet", name=BENCHMARKS
        ),
        reports=expand(f"{RESULTS}/data/{{name}}", name=EXPERIMENT.task.reports),
        manifest=f"{RESULTS}/data/manifest.json",
    log:
        f"{RESULTS}/logs/data.log",
    benchmark:
        f"{RESULTS}/usage/data.tsv"
    conda:
        ENVIRONMENT
    params:
        # A function, or the braces of the prompt template would be taken for a wildcard.
        settings=lambda wildcards: settings(EXPERIMENT.task),
    shell:
        f"{STEP}.data {arguments('task')} > {{log}} 2>&1"
