# No output is declared: an audit is made anew each time, and its report outlives a failure.
rule audit:
    input:
        audited,
    log:
        f"{RESULTS}/logs/audit.log",
    conda:
        ENVIRONMENT
    threads: 2
    params:
        results=lambda wildcards: RESULTS,
    message:
        "audit of {params.results}"
    shell:
        "python -m maspo.steps.audit {params.results:q} --jobs {threads} > {log:q} 2>&1 "
        "|| {{ cat {log:q}; exit 1; }}"
