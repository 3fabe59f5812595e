"""Our numbers beside those of the paper's results tables (`configs/published/`)."""

from pathlib import Path

import pandas as pd

from maspo.config import config_dir
from maspo.errors import DataError
from maspo.inert import in_markdown
from maspo.reporting.format import NOTHING, fixed, interval, latex, markdown, percent
from maspo.reporting.labels import LABELS
from maspo.reporting.study_data import AVERAGE, StudyData
from maspo.reporting.suite import Suite

# The paper's name of a benchmark: ours.
BENCHMARKS = {
    "AIME24": "aime24",
    "AIME25": "aime25",
    "AMC23": "amc23",
    "MATH500": "math500",
    "Minerva": "minerva_math",
    "Olympiad": "olympiadbench",
    "Average": AVERAGE,
}
SAMPLES = 32  # of the published Avg@32 and Pass@32
KEYS = ["model", "method", "benchmark"]
OURS = [f"{metric}{end}" for metric in ("avg_at_k", "best_at_k") for end in ("", "_low", "_high")]
COLUMNS = [
    *("model", "method", "variant", "benchmark", "comparable"),
    *("published_avg_at_k", "published_pass_at_k", *OURS, "pass_at_k"),
]
DIFFERENCES = ["avg_difference", "pass_difference"]


def published_path() -> Path:
    """Return where the published numbers stand."""
    return config_dir() / "published" / "results.csv"


def read_published() -> pd.DataFrame:
    """Return the published numbers as fractions: model, method, benchmark, two measures."""
    path = published_path()
    try:
        table = pd.read_csv(path)
        table["published_avg_at_k"] = table.pop("avg_at_32") / 100
        table["published_pass_at_k"] = table.pop("pass_at_32") / 100
        table["benchmark"] = table["benchmark"].map(BENCHMARKS)
    except (OSError, KeyError, ValueError) as error:
        raise DataError(f"{path} is not the table of published numbers: {error}") from error
    return table


def obstacle(suite: Suite) -> str | None:
    """Return why our numbers cannot be compared with the published ones, or None if they can."""
    experiment = suite.experiment
    if experiment.task.kind != "hub":
        return (
            f"Scale {suite.scale} trains a miniature policy on synthetic problems and measures it "
            "on benchmarks of its own. Its numbers and the published ones are of different things, "
            "so they stand side by side without differences: only the order of methods can be "
            "looked at."
        )
    if suite.model not in set(read_published()["model"]):
        return (
            f"No numbers were published for the policy {experiment.model.path!r}, so there are no "
            "differences."
        )
    if experiment.evaluate.samples != SAMPLES:
        return (
            f"The published numbers are of {SAMPLES} samples a problem, ours of "
            f"{experiment.evaluate.samples}, so there are no differences."
        )
    return None


def published(suite: Suite) -> pd.DataFrame:
    """Return the published numbers with ours where the suite has the method, as fractions.

    Where the two are comparable the rows are those of the trained policy's size, benchmark by
    benchmark, and `DIFFERENCES` (ours minus published) are there; elsewhere the rows are the
    averages of every size, without differences. The published Pass@32 is compared with
    best_at_k, which it very likely is (`configs/published/README.md`).
    """
    table, comparable = read_published(), obstacle(suite) is None
    chosen = table["model"] == suite.model if comparable else table["benchmark"] == AVERAGE
    table = table[chosen].assign(comparable=comparable)
    data, variants = _study(suite)
    rows = [_ours(data, variants.get(row.method), row.benchmark) for row in table.itertuples()]
    ours = pd.DataFrame(rows, index=table.index)
    table = pd.concat([table, ours], axis=1)[COLUMNS].reset_index(drop=True)
    if comparable:
        table["avg_difference"] = table["avg_at_k"] - table["published_avg_at_k"]
        table["pass_difference"] = table["best_at_k"] - table["published_pass_at_k"]
    return table


def _study(suite: Suite) -> tuple[StudyData, dict[str, str]]:
    """Return the study with most of the published methods, and the variant of each."""
    by_label = {label: variant for variant, label in LABELS.items()}
    names = [by_label[method] for method in read_published()["method"].unique()]

    def variants(data: StudyData) -> dict[str, str]:
        own = {"maspo": data.ours()}
        chosen = {LABELS[name]: own.get(name, name) for name in names}
        return {label: v for label, v in chosen.items() if v in data.study.variants}

    best = max(suite.studies, key=lambda data: len(variants(data)))
    return best, variants(best)


def _ours(data: StudyData, variant: str | None, benchmark: str) -> dict:
    if variant is None:
        return {"variant": None, **dict.fromkeys([*OURS, "pass_at_k"], float("nan"))}
    scores = [*data.score(variant, benchmark, "avg"), *data.score(variant, benchmark, "best")]
    unbiased, *_ = data.score(variant, benchmark, "pass")
    return {"variant": variant, **dict(zip(OURS, scores, strict=True)), "pass_at_k": unbiased}


def published_rows(suite: Suite, table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Return header and cells of the readers' table, in percent and points."""
    comparable, k = "avg_difference" in table, suite.experiment.evaluate.samples
    difference = ["Difference"] if comparable else []
    header = ["Policy", "Method", "Benchmark"]
    header += [f"Published Avg@{SAMPLES}", f"Our Avg@{k}", *difference]
    header += [f"Published Pass@{SAMPLES}", f"Our best@{k}", *difference, f"Our Pass@{k}"]
    shown = {ours: name for name, ours in BENCHMARKS.items()}
    rows = []
    for row in table.itertuples():
        cells = [row.model, row.method, shown[row.benchmark]]
        for name, metric in (("avg", "avg_at_k"), ("pass", "best_at_k")):
            cells.append(percent(getattr(row, f"published_{name}_at_k")))
            bounds = [percent(getattr(row, f"{metric}{end}")) for end in ("", "_low", "_high")]
            cells.append(interval(*bounds))
            if comparable:
                cells.append(fixed(100 * getattr(row, f"{name}_difference"), 1, sign=True))
        rows.append([*cells, percent(row.pass_at_k)])
    return header, rows


def published_note(suite: Suite) -> str:
    """Return what a reader has to know before comparing."""
    level = f"{100 * suite.analysis.statistics.level:g} %"
    return (
        (obstacle(suite) or "Differences: ours minus published, in points.")
        + f" Percent; ours with {level} intervals, the published numbers without, since no seeds "
        "were published. The published Pass@32 very likely is best@32, 1 − (1 − c/n)^32, so best@k "
        "stands beside it, and our unbiased Pass@k in a column of its own. "
        f"“{NOTHING}”: this suite does not have the method.\n"
    )


def published_markdown(suite: Suite, table: pd.DataFrame) -> str:
    """Return the table in Markdown, what it is behind it."""
    header, rows = published_rows(suite, table)
    return f"{in_markdown(published_note(suite).rstrip())}\n\n{markdown(header, rows, left=3)}"


def published_latex(suite: Suite, table: pd.DataFrame) -> str:
    """Return the table in LaTeX."""
    return latex(*published_rows(suite, table), left=3)
