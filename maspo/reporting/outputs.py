"""Every file that is reported, declared once: for the workflow, which makes them, and the audit."""

from collections.abc import Collection
from typing import NamedTuple

from maspo.config import Experiment

STUDY_TABLES = (
    *(".csv", ".md", ".tex", "_runs.csv", "_at_k.csv"),
    *("_comparisons.csv", "_comparisons.md", "_dynamics.csv", "_efficiency.csv", "_efficiency.md"),
    *("_gradient_use.csv", "_ratio_use.csv", "_ratio_moves.csv", "_snapshots.csv", "_facts.csv"),
)
"""Ends of the names of a study's tables."""

SUITE_TABLES = (
    *(f"{name}.{kind}" for name in ("stability", "cost", "published") for kind in ("csv", "md")),
    *("variance.csv", "variance.md", "tuning.csv", "tuning.md"),
    *("stability.tex", "cost.tex", "published.tex", "claims.tex"),
)
CLAIMS = ("claims.json", "claims.md")  # beside the folder of tables


class Figure(NamedTuple):
    """One figure: what it is called, reads, and is drawn for."""

    title: str
    tables: tuple[str, ...]  # ends of names of a study's tables, or a file of the suite
    studies: tuple[str, ...] | None = None  # these alone; a suite's figure: one of these


STUDY_FIGURES = {
    "differences": Figure("Differences, paired", ("_comparisons",)),
    "avg_at_k": Figure("Avg@k", ("", "_runs")),
    "pass_at_k": Figure("Pass@k and best@k", ("_at_k",)),
    "training_dynamics": Figure("Training dynamics", ("_dynamics",)),
    "entropy_accuracy": Figure("Entropy against accuracy", ("", "_runs", "_dynamics")),
    "sample_efficiency": Figure("Sample efficiency", ("_dynamics", "_efficiency")),
    "gradient_use": Figure("Gradient use", ("_gradient_use",)),
    "ratio_use": Figure("Ratios and what becomes of them", ("_ratio_use", "_ratio_moves")),
    "training_path": Figure("Entropy and accuracy on the way", ("_snapshots",)),
    "facts": Figure("Facts gained and lost", ("_facts",)),
    "sensitivity": Figure("Sensitivity", ("", "_runs", "_dynamics"), ("alpha", "beta")),
}
SUITE_FIGURES = {
    "claims": Figure("Claims", ("claims.json",)),
    "stability": Figure(
        "Stability",
        ("tables/stability.csv",),
        ("learning_rate", "gate", "staleness", "sigma_base"),
    ),
    "trust_regions": Figure("Trust regions", ()),
}
# The report shows HTML, but only offers Markdown to download: each table becomes a page of it.
STUDY_PAGES = {  # end of the table's name: (title, caption)
    "": ("Results", "table"),
    "_comparisons": ("Comparisons", "comparisons"),
    "_efficiency": ("Sample efficiency", "efficiency"),
}
SUITE_PAGES = {  # name: (title, the table below the suite's folder)
    "claims": ("Claims", "claims.md"),
    "stability": ("Stability", "tables/stability.md"),
    "variance": ("Variance", "tables/variance.md"),
    "tuning": ("Tuning", "tables/tuning.md"),
    "cost": ("Cost", "tables/cost.md"),
    "published": ("Beside the published numbers", "tables/published.md"),
}


def study_figures(experiment: Experiment, study: str) -> list[str]:
    """Return the names of the figures that are drawn for a study."""
    missing = {"gradient_use", "ratio_use"} if experiment.engine.kind == "verl" else set()
    missing |= set() if experiment.train.snapshots else {"training_path"}
    missing |= set() if "facts.csv" in experiment.task.reports else {"facts"}
    return [
        name
        for name, figure in STUDY_FIGURES.items()
        if (figure.studies is None or study in figure.studies) and name not in missing
    ]


def suite_figures(experiment: Experiment, studies: Collection[str]) -> list[str]:
    """Return the figures of a suite below its folder of figures, without the ends of names."""
    names = [f"{study}/{name}" for study in studies for name in study_figures(experiment, study)]
    return names + [
        name
        for name, figure in SUITE_FIGURES.items()
        if figure.studies is None or set(figure.studies) & set(studies)
    ]


def suite_pages(studies: Collection[str]) -> list[str]:
    """Return the pages of a suite below its folder of pages, without the ends of names."""
    return [f"{study}{end}" for study in studies for end in STUDY_PAGES] + list(SUITE_PAGES)


def suite_tables(studies: Collection[str]) -> list[str]:
    """Return the tables of a suite by their names in its folder of tables."""
    return [f"{study}{end}" for study in studies for end in STUDY_TABLES] + list(SUITE_TABLES)
