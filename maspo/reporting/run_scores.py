"""The scores of every run of a study, and their means with intervals."""

import pandas as pd

from maspo.reporting.study_data import AVERAGE, StudyData

METRICS = {"avg_at_k": "avg", "pass_at_k": "pass", "best_at_k": "best"}  # column: in statistics
COUNTS = ["problems", "samples", "no_answer", "timeout", "error"]


def run_scores(data: StudyData) -> pd.DataFrame:
    """Return one row a run and benchmark, plus the run's average, from records alone.

    Columns: variant, label, seed and those of `maspo.evaluation.records.score`.
    """
    frames = []
    for variant, seed in data.runs:
        scores = data.results.records(variant, seed).scores
        average = {"benchmark": AVERAGE, **scores.drop(columns="benchmark").mean().to_dict()}
        for count in ("problems", "no_answer", "timeout", "error"):
            average[count] = scores[count].sum()
        scores = pd.concat([scores, pd.DataFrame([average])], ignore_index=True)
        scores.insert(0, "variant", variant)
        scores.insert(1, "label", data.label(variant))
        scores.insert(2, "seed", seed)
        frames.append(scores)
    table = pd.concat(frames, ignore_index=True)
    return table.astype(dict.fromkeys(COUNTS, "int64"))


def at_k(data: StudyData) -> pd.DataFrame:
    """Return Pass@k and best@k for k = 1, 2, 4, ..., and Avg@k for k = n, with intervals.

    Columns: variant, label, benchmark, metric (avg, pass, best), k, value, low, high.
    """
    table = data.estimates().copy()
    table.insert(1, "label", table["variant"].map(data.label))
    return table


def mean_scores(runs: pd.DataFrame, values: pd.DataFrame) -> pd.DataFrame:
    """Return one row a variant and benchmark: seeds, and each metric at k = n.

    For each metric m there are ``m``, ``m_low``, ``m_high`` (of `at_k`) and ``m_std``, the sample
    standard deviation over seeds of `run_scores`, empty with one seed.
    """
    groups = runs.groupby(["variant", "label", "benchmark"], sort=False)
    table = groups["seed"].nunique().rename("seeds").to_frame()
    deviations = groups[list(METRICS)].std(ddof=1)
    last = values[values["k"] == values["k"].max()]
    for column, metric in METRICS.items():
        chosen = last[last["metric"] == metric].set_index(["variant", "label", "benchmark"])
        for end, source in {"": "value", "_low": "low", "_high": "high"}.items():
            table[column + end] = chosen[source]
        table[f"{column}_std"] = deviations[column]
    table = table.reset_index()
    table.insert(2, "seeds", table.pop("seeds"))
    return table
