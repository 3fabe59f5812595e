rule audit:
    input:
        audited(),
    output:
        # A failed job loses its outputs; audit.json and audit.md, beside it, must stay.
        passed=touch(f"{RESULTS}/audit/passed"),
    log:
        f"{RESULTS}/logs/audit.log",
    conda:
        ENVIRONMENT
    shell:
        f"{STEP}.audit {RESULTS} > {{log}} 2>&1 || {{{{ cat {{log}}; exit 1; }}}}"
