# A figure is a script that reads the tables of one suite and writes NAME.png and NAME.pdf.
# Which there are: maspo/reporting/outputs.py.
# The browser takes a label with two values for a switch, so the study is no label but a folder.
SHARED = [figure_file(name) for name in ["intervals", "reading", "style", "variants"]]

for name, (title, tables, _) in STUDY_FIGURES.items():

    rule:
        name:
            f"figure_{name}"
        input:
            tables=[f"{RESULTS}/{{suite}}/tables/{{study}}{end}.csv" for end in tables],
            script=figure_file(name),
            shared=SHARED,
        output:
            png=report(
                f"{RESULTS}/{{suite}}/figures/{{study}}/{name}.png",
                caption=f"../report/{name}.rst",
                category="Figures",
                subcategory="{study}",
                labels={"figure": title, "suite": "{suite}"},
            ),
            pdf=f"{RESULTS}/{{suite}}/figures/{{study}}/{name}.pdf",
        log:
            f"{RESULTS}/logs/figures/{{suite}}/{{study}}/{name}.log",
        benchmark:
            f"{RESULTS}/usage/figures/{{suite}}/{{study}}/{name}.tsv"
        conda:
            ENVIRONMENT
        params:
            tables=tables_of,
            folder=subpath(output.png, parent=True),
            # For the caption.
            title=lambda wildcards: study_of(wildcards).title,
            seeds=lambda wildcards: study_of(wildcards).seeds,
            samples=EXPERIMENT.evaluate.samples,
            level=LEVEL,
        message:
            f"figure {name} of {{wildcards.study}}, suite {{wildcards.suite}}"
        shell:
            "python {input.script:q} --tables {params.tables:q} --study {wildcards.study:q} "
            "--output {params.folder:q} > {log:q} 2>&1"


for name, (title, files, _) in SUITE_FIGURES.items():
    if not files:  # it has a rule of its own
        continue

    rule:
        name:
            f"figure_{name}"
        input:
            tables=[f"{RESULTS}/{{suite}}/{file}" for file in files],
            script=figure_file(name),
            shared=SHARED,
        output:
            png=report(
                f"{RESULTS}/{{suite}}/figures/{name}.png",
                caption=f"../report/{name}.rst",
                category="Figures",
                subcategory="all studies",
                labels={"figure": title, "suite": "{suite}"},
            ),
            pdf=f"{RESULTS}/{{suite}}/figures/{name}.pdf",
        log:
            f"{RESULTS}/logs/figures/{{suite}}/{name}.log",
        benchmark:
            f"{RESULTS}/usage/figures/{{suite}}/{name}.tsv"
        conda:
            ENVIRONMENT
        params:
            tables=tables_of,
            folder=subpath(output.png, parent=True),
            samples=EXPERIMENT.evaluate.samples,
            level=LEVEL,
        message:
            f"figure {name}, suite {{wildcards.suite}}"
        shell:
            "python {input.script:q} --tables {params.tables:q} "
            "--output {params.folder:q} > {log:q} 2>&1"


rule figure_trust_regions:
    input:
        script=figure_file("trust_regions"),
        shared=figure_file("style"),
    output:
        png=report(
            f"{RESULTS}/{{suite}}/figures/trust_regions.png",
            caption="../report/trust_regions.rst",
            category="Figures",
            subcategory="all studies",
            labels={"figure": "Trust regions", "suite": "{suite}"},
        ),
        pdf=f"{RESULTS}/{{suite}}/figures/trust_regions.pdf",
    log:
        f"{RESULTS}/logs/figures/{{suite}}/trust_regions.log",
    benchmark:
        f"{RESULTS}/usage/figures/{{suite}}/trust_regions.tsv"
    conda:
        ENVIRONMENT
    params:
        folder=subpath(output.png, parent=True),
        # The curves are the package's own objectives.
        settings=settings(),
    message:
        "figure trust_regions, suite {wildcards.suite}"
    shell:
        "python {input.script:q} --output {params.folder:q} > {log:q} 2>&1"
