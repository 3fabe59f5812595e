# Where `snakemake` looks first. The workflow stands in workflow/, as Snakemake's catalog wants it.
include: "workflow/Snakefile"
