# Pages of the report, from tables in Markdown; which there are: maspo/reporting/outputs.py.
PAGE = "python {input.script:q} {input.table:q} {output.page:q} > {log:q} 2>&1"
PAGE_SCRIPT = str(ROOT / "workflow" / "report" / "page.py")

for end, (title, caption) in STUDY_PAGES.items():

    rule:
        name:
            f"page_of_{caption}"
        input:
            table=f"{RESULTS}/{{suite}}/tables/{{study}}{end}.md",
            script=PAGE_SCRIPT,
        output:
            page=report(
                f"{RESULTS}/{{suite}}/pages/{{study}}{end}.html",
                caption=f"../report/{caption}.rst",
                category="Tables",
                subcategory="{study}",
                labels={"table": title, "suite": "{suite}"},
            ),
        log:
            f"{RESULTS}/logs/pages/{{suite}}/{{study}}{end}.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            # For the caption.
            title=lambda wildcards: study_of(wildcards).title,
            seeds=lambda wildcards: study_of(wildcards).seeds,
            samples=EXPERIMENT.evaluate.samples,
            level=LEVEL,
        message:
            f"page {{wildcards.study}}{end}, suite {{wildcards.suite}}"
        shell:
            PAGE


for name, (title, table) in SUITE_PAGES.items():

    rule:
        name:
            f"page_of_{name}"
        input:
            table=f"{RESULTS}/{{suite}}/{table}",
            script=PAGE_SCRIPT,
        output:
            page=report(
                f"{RESULTS}/{{suite}}/pages/{name}.html",
                caption=f"../report/{name}.rst",
                category="Tables",
                subcategory="all studies",
                labels={"table": title, "suite": "{suite}"},
            ),
        log:
            f"{RESULTS}/logs/pages/{{suite}}/{name}.log",
        localrule: True
        conda:
            ENVIRONMENT
        params:
            samples=EXPERIMENT.evaluate.samples,
            level=LEVEL,
        message:
            f"page {name}, suite {{wildcards.suite}}"
        shell:
            PAGE
