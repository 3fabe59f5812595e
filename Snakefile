# Entry of the workflow: `snakemake --cores all` reproduces the tables and figures of one scale.
# What an experiment is stands in configs/; how its steps hang together, in workflow/rules/.
from snakemake.utils import min_version

min_version("9.6")


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/base.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


report: "workflow/report/workflow.rst"


rule all:
    default_target: True
    input:
        expand(rules.table.output, sweep=SWEEPS),
        expand(rules.figure_training_dynamics.output, sweep=SWEEPS),
        expand(rules.figure_avg_at_k.output, sweep=SWEEPS),
        rules.figure_trust_regions.output,
