# Entry of the workflow: `snakemake --cores all` reproduces the tables and figures of one scale, and
# `snakemake --cores all full` the larger suite of studies.
# What an experiment is stands in configs/; how its steps hang together, in workflow/rules/.
from snakemake.utils import min_version

min_version("9.6")


include: "workflow/rules/common.smk"
include: "workflow/rules/resources.smk"
include: "workflow/rules/rejected.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/base.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/pages.smk"
include: "workflow/rules/targets.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/usage.smk"
include: "workflow/rules/front_page.smk"


report: "workflow/report/workflow.rst"


onerror:
    explain_rejection(log)


rule all:
    default_target: True
    input:
        lambda wildcards: results_of(EXPERIMENT.suite),


rule full:
    input:
        lambda wildcards: results_of("full"),
