# A base policy of its own for each seed, where it is trained here; one taken as it is is seed 0.
rule base:
    input:
        # A published policy may be taken as it is; one that is trained here reads the lessons.
        problems=(
            []
            if EXPERIMENT.model.supervised is None
            else TRAINING_FILES[EXPERIMENT.task.lessons]
        ),
    output:
        **{
            f"file_{Path(name).stem}": f"{RESULTS}/base/seed_{{seed}}/{name}"
            for name in EXPERIMENT.model.files
        },
        policy=directory(f"{RESULTS}/base/seed_{{seed}}/policy"),
        manifest=f"{RESULTS}/base/seed_{{seed}}/manifest.json",
    log:
        f"{RESULTS}/logs/base/seed_{{seed}}.log",
    cache: CACHED
    priority: 2  # most follows from it: what is begun last decides how long a core stands idle
    conda:
        ENVIRONMENT
    threads: threads("base")
    resources:
        runtime=runtime("base"),
        mem_mb=memory("base"),
        gpu=gpu("base"),
    params:
        arguments=arguments("task", "model"),
        settings=lambda wildcards: settings(EXPERIMENT.model),
    message:
        "base policy {wildcards.seed}"
    shell:
        "python -m maspo.steps.base {params.arguments:q} seed={wildcards.seed} > {log:q} 2>&1"
