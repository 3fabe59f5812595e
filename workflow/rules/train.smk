rule train:
    input:
        problems=lambda wildcards: TRAINING_FILES[
            train_settings(wildcards.variant).problems
        ],
        base=base_of,
    output:
        **{
            f"snapshot_{step}": directory(
                f"{RESULTS}/runs/{{variant}}/seed_{{seed}}/snapshots/step_{step}"
            )
            for step in EXPERIMENT.train.snapshots
        },
        **(
            {}
            if EXPERIMENT.train.rollouts_mb is None
            else {
                "rollouts": f"{RESULTS}/runs/{{variant}}/seed_{{seed}}/rollouts.parquet"
            }
        ),
        policy=directory(f"{RESULTS}/runs/{{variant}}/seed_{{seed}}/policy"),
        metrics=f"{RESULTS}/runs/{{variant}}/seed_{{seed}}/metrics.jsonl",
        timings=f"{RESULTS}/runs/{{variant}}/seed_{{seed}}/timings.jsonl",
        manifest=f"{RESULTS}/runs/{{variant}}/seed_{{seed}}/manifest.json",
    log:
        f"{RESULTS}/logs/train/{{variant}}/seed_{{seed}}.log",
    benchmark:
        f"{RESULTS}/usage/train/{{variant}}/seed_{{seed}}.tsv"
    priority: 1  # see the rule base
    conda:
        ENVIRONMENT
    threads: threads("train")
    resources:
        runtime=runtime("train"),
        mem_mb=memory("train"),
        gpu=gpu("train"),
    params:
        arguments=arguments("task", "model", "sampler", "train", "engine"),
        places=places,
        settings=lambda wildcards: settings(
            objective_settings(wildcards.variant),
            train_settings(wildcards.variant),
            EXPERIMENT.task,
            EXPERIMENT.sampler,
            EXPERIMENT.engine.behind_results,
        ),
    message:
        "train {wildcards.variant}, seed {wildcards.seed}"
    shell:
        "python -m maspo.steps.train {params.arguments:q} {params.places:q} variant={wildcards.variant:q} "
        "seed={wildcards.seed} > {log:q} 2>&1"
