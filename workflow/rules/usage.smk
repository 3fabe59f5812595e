# No output is declared: the table is of the jobs that were run so far, and is made anew each time.
rule usage:
    log:
        f"{RESULTS}/logs/usage.log",
    localrule: True
    conda:
        ENVIRONMENT
    params:
        arguments=arguments("resources"),
    message:
        "time and memory of the jobs so far"
    shell:
        "python -m maspo.steps.usage {params.arguments:q} > {log:q} 2>&1 || {{ cat {log:q}; exit 1; }}"
