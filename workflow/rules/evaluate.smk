rule evaluate:
    input:
        benchmarks=list(BENCHMARK_FILES.values()),
        policy=policy_of,
    output:
        records=f"{RESULTS}/evaluation/{{variant}}/seed_{{seed}}/records.parquet",
        manifest=f"{RESULTS}/evaluation/{{variant}}/seed_{{seed}}/manifest.json",
    log:
        f"{RESULTS}/logs/evaluate/{{variant}}/seed_{{seed}}.log",
    benchmark:
        f"{RESULTS}/usage/evaluate/{{variant}}/seed_{{seed}}.tsv"
    conda:
        ENVIRONMENT
    threads: threads("evaluate")
    resources:
        runtime=runtime("evaluate"),
        mem_mb=memory("evaluate"),
        gpu=gpu("evaluate"),
    params:
        # A function, because Snakemake takes braces in a text (a prompt's template) for wildcards.
        settings=lambda wildcards: settings(
            EXPERIMENT.task, EXPERIMENT.evaluate, EXPERIMENT.sampler
        ),
    shell:
        f"{STEP}.evaluate {arguments('task', 'model', 'sampler', 'evaluate')} variant={{wildcards.variant}} seed={{wildcards.seed}} > {{log}} 2>&1"
