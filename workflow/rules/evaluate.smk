EVALUATION = f"{RESULTS}/evaluation/{{variant}}/seed_{{seed}}"
BASE_EVALUATION = f"{RESULTS}/evaluation/{BASE_VARIANT}/seed_{{seed}}"
# The records of a run; of its policies on the way too, where such are kept.
RECORD_FILES = ["records"] + (["snapshots"] if EXPERIMENT.train.snapshots else [])
# What the tables read: (of a run, of a base policy).
RECORDS = (
    [f"{EVALUATION}/{name}.parquet" for name in RECORD_FILES],
    [f"{BASE_EVALUATION}/records.parquet"],
)


rule evaluate:
    input:
        benchmarks=list(BENCHMARK_FILES.values()),
        policies=policies_of,
    output:
        **{name: f"{EVALUATION}/{name}.parquet" for name in RECORD_FILES},
        manifest=f"{EVALUATION}/manifest.json",
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
        # The engine decides which settings of train are valid.
        arguments=arguments(
            "task", "model", "sampler", "train", "evaluate", also=["engine"]
        ),
        variant=lambda wildcards: wildcards.variant,
        settings=lambda wildcards: settings(
            EXPERIMENT.task, EXPERIMENT.evaluate, EXPERIMENT.sampler
        ),
    message:
        "evaluate {params.variant}, seed {wildcards.seed}"
    shell:
        "python -m maspo.steps.evaluate {params.arguments:q} variant={params.variant:q} "
        "seed={wildcards.seed} > {log:q} 2>&1"


use rule evaluate as evaluate_base with:
    input:
        benchmarks=list(BENCHMARK_FILES.values()),
        policies=rules.base.output.policy,
    output:
        records=f"{BASE_EVALUATION}/records.parquet",
        manifest=f"{BASE_EVALUATION}/manifest.json",
    log:
        f"{RESULTS}/logs/evaluate/{BASE_VARIANT}/seed_{{seed}}.log",
    benchmark:
        f"{RESULTS}/usage/evaluate/{BASE_VARIANT}/seed_{{seed}}.tsv"
    params:
        arguments=arguments("task", "model", "sampler", "evaluate"),
        variant=BASE_VARIANT,
        settings=lambda wildcards: settings(
            EXPERIMENT.task, EXPERIMENT.evaluate, EXPERIMENT.sampler
        ),
