rule base:
    input:
        train=rules.data.output.train,
    output:
        policy=directory(f"{RESULTS}/base/policy"),
        metrics=f"{RESULTS}/base/metrics.jsonl",
        timings=f"{RESULTS}/base/timings.jsonl",
        manifest=f"{RESULTS}/base/manifest.json",
    log:
        f"{RESULTS}/logs/base.log",
    benchmark:
        f"{RESULTS}/usage/base.tsv"
    conda:
        ENVIRONMENT
    params:
        settings=settings(EXPERIMENT.model),
    shell:
        f"{STEP}.base {ARGUMENTS} > {{log}} 2>&1"
