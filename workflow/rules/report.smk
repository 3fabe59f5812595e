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
    conda:
        ENVIRONMENT
    params:
        sweep=sweep_arguments,
    shell:
        f"{STEP}.table {arguments('seeds')} {{params.sweep}} > {{log}} 2>&1"


rule figure_training_dynamics:
    input:
        runs=rules.table.output.runs,
        metrics=metrics_of,
        script=figure_file("training_dynamics"),
        shared=[figure_file("style"), figure_file("results")],
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
    conda:
        ENVIRONMENT
    shell:
        FIGURE


rule figure_avg_at_k:
    input:
        runs=rules.table.output.runs,
        script=figure_file("avg_at_k"),
        shared=[figure_file("style"), figure_file("results")],
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
    conda:
        ENVIRONMENT
    shell:
        FIGURE


rule figure_trust_regions:
    input:
        script=figure_file("trust_regions"),
        shared=[figure_file("style")],
    output:
        png=report(
            f"{FIGURES}/trust_regions.png",
            caption="../report/trust_regions.rst",
            category="Figures",
            labels={"sweep": "all", "figure": "Trust regions"},
        ),
        pdf=f"{FIGURES}/trust_regions.pdf",
    log:
        f"{RESULTS}/logs/figures/trust_regions.log",
    benchmark:
        f"{RESULTS}/usage/figures/trust_regions.tsv"
    conda:
        ENVIRONMENT
    shell:
        f"python {{input.script}} --output {FIGURES} > {{log}} 2>&1"
