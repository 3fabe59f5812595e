# Where `snakemake` looks first. The workflow stands in workflow/, as Snakemake's catalog wants it.
include: "workflow/Snakefile"


workflow.default_target = "all"  # which an include leaves behind
