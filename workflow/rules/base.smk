rule base:
    input:
        # A published policy is taken as it is; one that is built here learns from the problems.
        train=rules.data.output.train if EXPERIMENT.model.kind == "built" else [],
    output:
        policy=directory(f"{RESULTS}/base/policy"),
        logs=expand(f"{RESULTS}/base/{{name}}.jsonl", name=EXPERIMENT.model.logs),
        manifest=f"{RESULTS}/base/manifest.json",
    log:
        f"{RESULTS}/logs/base.log",
    benchmark:
        f"{RESULTS}/usage/base.tsv"
    conda:
        ENVIRONMENT
    threads: EXPERIMENT.threads
    params:
        settings=settings(EXPERIMENT.model),
    shell:
        f"{STEP}.base {arguments('task', 'model')} > {{log}} 2>&1"
