# Files are named one by one, as Snakemake's cache between workflows asks for.
BENCHMARK_FILES = {
    f"benchmark_{name}": f"{RESULTS}/data/benchmarks/{name}.parquet"
    for name in BENCHMARKS
}
REPORT_FILES = {
    f"report_{name}": f"{RESULTS}/data/{name}" for name in EXPERIMENT.task.reports
}
TRAINING_FILES = {
    name: f"{RESULTS}/data/{name}.parquet" for name in EXPERIMENT.task.training_files
}


# No `benchmark:` here and in `base`: it cannot go together with the cache.
rule data:
    output:
        **BENCHMARK_FILES,
        **REPORT_FILES,
        **TRAINING_FILES,
        manifest=f"{RESULTS}/data/manifest.json",
    log:
        f"{RESULTS}/logs/data.log",
    cache: CACHED
    conda:
        ENVIRONMENT
    resources:
        runtime=runtime("data"),
        mem_mb=memory("data"),
    params:
        arguments=arguments("task"),
        settings=lambda wildcards: settings(EXPERIMENT.task),
    message:
        "data: problems and benchmarks"
    shell:
        "python -m maspo.steps.data {params.arguments:q} > {log:q} 2>&1"
