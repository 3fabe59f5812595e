# No output is declared: the table is of the jobs that were run so far, and is made anew each time.
rule usage:
    log:
        f"{RESULTS}/logs/usage.log",
    localrule: True
    conda:
        ENVIRONMENT
    shell:
        f"{STEP}.usage {arguments('resources')} > {{log}} 2>&1 || {{{{ cat {{log}}; exit 1; }}}}"
