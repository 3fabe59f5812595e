# What `all` and `full` ask for: the tables, as pages of the report, and the figures of a suite.


def results_of(suite):
    """Return the tables, as pages of the report, and the figures of a suite."""
    return [*pages_of(suite), *figures_of(suite)]


def pages_of(suite):
    """Return the pages of a suite: those of each study, and those of all together."""
    names = [f"{study}{end}" for study in studies_in(suite) for end in STUDY_PAGES]
    return [f"{RESULTS}/{suite}/pages/{name}.html" for name in [*names, *SUITE_PAGES]]


def figures_of(suite):
    """Return the figures of a suite: those of each study, and those of all together."""
    folder, studies = f"{RESULTS}/{suite}/figures", studies_in(suite)
    names = [f"{study}/{name}" for study in studies for name in figures_of_study(study)]
    for name, (_, _, needed) in SUITE_FIGURES.items():
        if needed is None or set(needed) & set(studies):
            names.append(name)
    return [f"{folder}/{name}.png" for name in [*names, "trust_regions"]]


def figures_of_study(study):
    """Return the names of the figures that are drawn for a study."""
    missing = (
        {"gradient_use", "ratio_use"} if EXPERIMENT.engine.kind == "verl" else set()
    )
    missing |= set() if EXPERIMENT.train.snapshots else {"training_path"}
    missing |= set() if HAS_FACTS else {"facts"}
    return [
        name
        for name, (_, _, studies) in STUDY_FIGURES.items()
        if (studies is None or study in studies) and name not in missing
    ]


def audited(wildcards):
    """Return what an audit is of: the suite of `all`, and the full one where it was reported."""
    reported = Path(f"{RESULTS}/full/claims_manifest.json").is_file()
    full = reported and not ignored_by("full")
    return results_of(EXPERIMENT.suite) + (results_of("full") if full else [])
