# Every figure is a script that reads the results folder and writes name.pdf and name.png.
FIGURE = (
    f"{shlex.quote(sys.executable)} {{input.script}} --results {RESULTS}"
    " --sweep {wildcards.sweep} --output $(dirname {output.png})"
)


def figure_script(name):
    """Return the path of a figure's script."""
    return str(Path(workflow.basedir) / "figures" / f"{name}.py")


def records_of(wildcards):
    """Return the records of every run of a sweep, and of the base policy."""
    runs = [("base", 0), *runs_of(wildcards.sweep)]
    return [
        rules.evaluate.output.records.format(variant=variant, seed=seed) for variant, seed in runs
    ]


def metrics_of(wildcards):
    """Return the training logs of every run of a sweep."""
    return [
        rules.train.output.metrics.format(variant=variant, seed=seed)
        for variant, seed in runs_of(wildcards.sweep)
    ]


def sweep_arguments(wildcards):
    """Return the overrides that name one sweep and its variants for the table step."""
    variants = ",".join(SWEEPS[wildcards.sweep])
    return shlex.join([f"sweeps=[{wildcards.sweep}]", f"variants=[{variants}]"])


rule table:
    input:
        records=records_of,
    output:
        runs=f"{RESULTS}/tables/{{sweep}}_runs.csv",
        csv=f"{RESULTS}/tables/{{sweep}}.csv",
        markdown=report(
            f"{RESULTS}/tables/{{sweep}}.md",
            caption="../report/table.rst",
            category="Tables",
            labels={"sweep": "{sweep}", "format": "Markdown"},
        ),
        latex=f"{RESULTS}/tables/{{sweep}}.tex",
        manifest=f"{RESULTS}/tables/{{sweep}}_manifest.json",
    log:
        f"{RESULTS}/logs/table/{{sweep}}.log",
    benchmark:
        f"{RESULTS}/usage/table/{{sweep}}.tsv"
    params:
        sweep=sweep_arguments,
    shell:
        "{STEP}.table {ARGUMENTS} {params.sweep} > {log} 2>&1"


rule figure_training_dynamics:
    input:
        runs=rules.table.output.runs,
        metrics=metrics_of,
        script=figure_script("training_dynamics"),
    output:
        png=report(
            f"{FIGURES}/{{sweep}}/training_dynamics.png",
            caption="../report/training_dynamics.rst",
            category="Figures",
            labels={"sweep": "{sweep}", "figure": "Training dynamics"},
        ),
        pdf=f"{FIGURES}/{{sweep}}/training_dynamics.pdf",
    log:
        f"{RESULTS}/logs/figures/{{sweep}}/training_dynamics.log",
    benchmark:
        f"{RESULTS}/usage/figures/{{sweep}}/training_dynamics.tsv"
    shell:
        FIGURE + " > {log} 2>&1"


rule figure_avg_at_k:
    input:
        runs=rules.table.output.runs,
        script=figure_script("avg_at_k"),
    output:
        png=report(
            f"{FIGURES}/{{sweep}}/avg_at_k.png",
            caption="../report/avg_at_k.rst",
            category="Figures",
            labels={"sweep": "{sweep}", "figure": "Avg@k by method"},
        ),
        pdf=f"{FIGURES}/{{sweep}}/avg_at_k.pdf",
    log:
        f"{RESULTS}/logs/figures/{{sweep}}/avg_at_k.log",
    benchmark:
        f"{RESULTS}/usage/figures/{{sweep}}/avg_at_k.tsv"
    shell:
        FIGURE + " > {log} 2>&1"
