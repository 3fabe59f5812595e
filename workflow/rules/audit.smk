# No output is declared: an audit is made anew each time, and its report outlives a failure.
rule audit:
    input:
        audited,
    log:
        f"{RESULTS}/logs/audit.log",
    conda:
        ENVIRONMENT
    shell:
        f"{STEP}.audit {RESULTS} > {{log}} 2>&1 || {{{{ cat {{log}}; exit 1; }}}}"
