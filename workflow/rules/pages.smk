# The report shows HTML, but only offers Markdown to download: each table becomes a page of it.
# end of the table's name: (title, caption)
STUDY_PAGES = {
    "": ("Results", "table"),
    "_comparisons": ("Comparisons", "comparisons"),
    "_efficiency": ("Sample efficiency", "efficiency"),
}
# name: (title, the table below the suite's folder)
SUITE_PAGES = {
    "claims": ("Claims", "claims.md"),
    "stability": ("Stability", "tables/stability.md"),
    "variance": ("Variance", "tables/variance.md"),
    "tuning": ("Tuning", "tables/tuning.md"),
    "cost": ("Cost", "tables/cost.md"),
    "published": ("Beside the published numbers", "tables/published.md"),
}
PAGE = "python {input.script:q} {input.table:q} {output.page:q} > {log:q} 2>&1"
PAGE_SCRIPT = str(Path(workflow.basedir) / "workflow" / "report" / "page.py")

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
        shell:
            PAGE
