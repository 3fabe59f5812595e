"""Which runs stay on their feet: collapse, final reward and entropy under harder conditions."""

import numpy as np
import pandas as pd

from maspo.config import split_variant
from maspo.inert import in_markdown
from maspo.reporting.collapse import collapses, definition, fates
from maspo.reporting.format import fixed, interval, latex, markdown, percent
from maspo.reporting.labels import LABELS, label, number
from maspo.reporting.study_data import AVERAGE, StudyData
from maspo.reporting.suite import Suite
from maspo.statistics import seed_mean

# What each study of stability varies: a setting of training, or one of the objective.
FACTORS = {
    "learning_rate": "lr",
    "gate": "lr",
    "staleness": "updates_per_batch",
    "sigma_base": "sigma_base",
}
NAMES = {"lr": "learning rate", "updates_per_batch": "updates a batch"}
COLUMNS = [
    *("variant", "label", "objective", "factor", "value", "seeds", "collapsed"),
    *("final_reward", "final_reward_low", "final_reward_high"),
    *("final_entropy", "final_entropy_low", "final_entropy_high"),
    *("avg_at_k", "avg_at_k_low", "avg_at_k_high", "reward_collapses", "entropy_collapses"),
]
HEADER = ["Method", "Factor", "Value", "Collapsed", "Final reward (%)", "Final entropy (nats)"]


def stability(suite: Suite) -> pd.DataFrame:
    """Return one row for each variant and factor of the studies in `FACTORS` that the suite has.

    Columns: `COLUMNS`. Methods without a factor (GRPO has no sigma_base) have no row of it. A
    suite without these studies gives no rows.
    """
    rows: dict[tuple[str, str], dict] = {}
    for data in suite.studies:
        factor = FACTORS.get(data.study.name)
        for variant in data.study.variants if factor else ():
            value = _value(data, variant, factor)
            if value is not None and (variant, factor) not in rows:
                rows[variant, factor] = _row(data, variant, factor, value)
    return pd.DataFrame(rows.values(), columns=COLUMNS)


def _value(data: StudyData, variant: str, factor: str) -> str | None:
    """Return a variant's setting of the factor, from what its first run was trained with."""
    folder = data.results.layout.run(*data.study.runs_of(variant)[0])
    settings = data.results.manifest(folder)["settings"]
    value = {**settings["objective"], **settings["train"]}.get(factor)
    return None if value is None else f"{value}"


def _row(data: StudyData, variant: str, factor: str, value: str) -> dict:
    objective, _ = split_variant(variant)
    runs = fates(data, variant)
    row = {
        "variant": variant,
        "label": label(variant),
        "objective": objective,
        "factor": factor,
        "value": value,
        "seeds": len(runs),
        "collapsed": sum(run.collapsed for run in runs),
    }
    level = data.analysis.statistics.level
    for name in ("final_reward", "final_entropy"):
        bounds = seed_mean(np.array([getattr(run, name) for run in runs]), level)
        row |= zip((name, f"{name}_low", f"{name}_high"), map(float, bounds), strict=True)
    names = ("avg_at_k", "avg_at_k_low", "avg_at_k_high")
    row |= zip(names, data.score(variant, AVERAGE, "avg"), strict=True)
    return row | {
        "reward_collapses": sum(run.reward for run in runs),
        "entropy_collapses": sum(run.entropy for run in runs),
    }


def header(suite: Suite) -> list[str]:
    """Return the header of the readers' table."""
    return [*HEADER, f"Avg@{suite.experiment.evaluate.samples} (%)"]


def stability_rows(table: pd.DataFrame) -> list[list[str]]:
    """Return the cells of the table as texts, in the order of `header`."""
    rows = []
    for row in table.itertuples():
        name = LABELS.get(row.objective, row.label)
        rows.append(
            [
                name,
                NAMES.get(row.factor, row.factor),
                number(row.value),
                f"{row.collapsed} of {row.seeds}",
                interval(*map(percent, _cells(row, "final_reward"))),
                interval(*(fixed(x, 4) for x in _cells(row, "final_entropy"))),
                interval(*map(percent, _cells(row, "avg_at_k"))),
            ]
        )
    return rows


def _cells(row: tuple, name: str) -> list[float]:
    return [getattr(row, name + end) for end in ("", "_low", "_high")]


def stability_markdown(suite: Suite, table: pd.DataFrame) -> str:
    """Return the table in Markdown, with the definition of collapse and all collapses counted."""
    runs = collapses(suite)
    collapsed = [f"{label(variant)} (seed {seed})" for (variant, seed), run in runs.items() if run]
    names = f": {in_markdown(', '.join(collapsed))}" if collapsed else ""
    count = f"Of all {len(runs)} runs of this suite {len(collapsed)} collapsed{names}.\n"
    shown = markdown(header(suite), stability_rows(table), left=3)
    if table.empty:
        shown = "This suite has none of the studies " + ", ".join(FACTORS) + ".\n"
    return f"{shown}\n{definition(suite.analysis.collapse)} {count}"


def stability_latex(suite: Suite, table: pd.DataFrame) -> str:
    """Return the table in LaTeX."""
    return latex(header(suite), stability_rows(table), left=3)
