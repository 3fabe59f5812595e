# Where `snakemake` looks first. The workflow stands in workflow/, as Snakemake's catalog wants it.
include: "workflow/Snakefile"


workflow.default_target = rules.all.name  # which an include leaves behind
