rule data:
    output:
        train=f"{RESULTS}/data/train.parquet",
        benchmarks=expand(
            f"{RESULTS}/data/benchmarks/{{name}}.parquet", name=BENCHMARKS
        ),
        manifest=f"{RESULTS}/data/manifest.json",
    log:
        f"{RESULTS}/logs/data.log",
    benchmark:
        f"{RESULTS}/usage/data.tsv"
    conda:
        ENVIRONMENT
    params:
        settings=settings(EXPERIMENT.task),
    shell:
        f"{STEP}.data {ARGUMENTS} > {{log}} 2>&1"
