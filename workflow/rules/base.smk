rule base:
    input:
        # A published policy is taken as it is; one that is built here learns from the problems.
        train=rules.data.output.train if EXPERIMENT.model.kind == "built" else [],
    output:
        **{
            f"log_{name}": f"{RESULTS}/base/{name}.jsonl"
            for name in EXPERIMENT.model.logs
        },
        policy=directory(f"{RESULTS}/base/policy"),
        manifest=f"{RESULTS}/base/manifest.json",
    log:
        f"{RESULTS}/logs/base.log",
    cache: CACHED
    conda:
        ENVIRONMENT
    threads: EXPERIMENT.threads
    resources:
        runtime=runtime("base"),
        mem_mb=memory("base"),
    params:
        settings=settings(EXPERIMENT.model),
    shell:
        f"{STEP}.base {arguments('task', 'model')} > {{log}} 2>&1"
