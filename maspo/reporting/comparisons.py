"""Differences between methods, paired by problem and seed."""

import pandas as pd

from maspo.reporting.format import fixed, interval, markdown, percent
from maspo.reporting.study_data import AVERAGE, StudyData

NAMES = {"avg": "Avg", "pass": "Pass", "best": "best"}
COLUMNS = [
    *("method", "method_label", "reference", "reference_label"),
    *("benchmark", "metric", "k", "difference", "low", "high", "p", "p_holm"),
]


def comparison_table(data: StudyData) -> pd.DataFrame:
    """Return every difference method minus reference of a study, in [-1, 1].

    Columns: `COLUMNS`; `p_holm` is corrected over the pairs within a benchmark and metric. A
    study of one method has no rows.
    """
    pairs = data.pairs()
    if not pairs:
        return pd.DataFrame(columns=COLUMNS)
    table = data.comparisons(pairs)
    for side in ("method", "reference"):
        table = table.assign(**{f"{side}_label": table[side].map(data.label)})
    return table[COLUMNS]


def comparison_markdown(table: pd.DataFrame, level: float) -> str:
    """Return the differences of the average over benchmarks, in points."""
    rows = []
    average = table[table["benchmark"] == AVERAGE]
    for (method, reference), cells in average.groupby(
        ["method_label", "reference_label"], sort=False
    ):
        row = [f"{method} − {reference}"]
        for metric in NAMES:
            (cell,) = cells[cells["metric"] == metric].itertuples()
            bounds = (cell.difference, cell.low, cell.high)
            row.append(interval(*(percent(bound, sign=True) for bound in bounds)))
            row.append(fixed(cell.p_holm, 3))
        rows.append(row)
    k = table["k"].max() if len(table) else "k"
    header = ["Comparison", *(x for name in NAMES.values() for x in (f"{name}@{k}", "p (Holm)"))]
    note = (
        f"Differences of the average over benchmarks, in points, with {100 * level:g} % intervals, "
        "paired by problem and seed. The p-values are corrected over the comparisons of this table "
        "(Holm); the intervals are not.\n"
    )
    return markdown(header, rows) + "\n" + note
