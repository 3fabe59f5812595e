# What `all` and `full` ask for: the tables, as pages of the report, and the figures of a suite.


def results_of(suite):
    """Return the tables, as pages of the report, and the figures of a suite."""
    return [*pages_of(suite), *figures_of(suite)]


def pages_of(suite):
    """Return the pages of a suite."""
    names = suite_pages(studies_in(suite))
    return [f"{RESULTS}/{suite}/pages/{name}.html" for name in names]


def figures_of(suite):
    """Return the figures of a suite."""
    names = suite_figures(EXPERIMENT, studies_in(suite))
    return [f"{RESULTS}/{suite}/figures/{name}.png" for name in names]


def audited(wildcards):
    """Return what an audit is of: the suite of `all`, and the full one where it was reported."""
    reported = Path(f"{RESULTS}/full/claims_manifest.json").is_file()
    full = reported and not ignored_by("full")
    return results_of(EXPERIMENT.suite) + (results_of("full") if full else [])
