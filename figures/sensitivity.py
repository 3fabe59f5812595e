"""Sensitivity of MASPO to alpha or beta: scores and final entropy against the value.

The range that the paper recommends is shaded: alpha in [0.3, 0.5], beta 0.03.
"""

import sys

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intervals import focus, mark_outside
from reading import AVERAGE, BASE, arguments, ending, read_table
from style import METHODS, RECOMMENDED, apply_style, save
from variants import NAMED, value_of

SCORES = ("avg_at_k", "pass_at_k")
RANGES = {"alpha": (0.3, 0.5), "beta": (0.025, 0.036)}  # beta: a mark around 0.03, not a range
MEANS = ["variant", "label", "benchmark"] + [
    score + end for score in SCORES for end in ("", "_low", "_high")
]
DYNAMICS = ["variant", "step", "metric", "mean", "low", "high"]


def scores(means: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return value, low and high of a score of the average, in percent, by variant."""
    rows = means[(means.benchmark == AVERAGE) & (means.variant != BASE)].set_index("variant")
    names = {score: "value", f"{score}_low": "low", f"{score}_high": "high"}
    return 100 * rows[list(names)].rename(columns=names)


def by_value(rows: pd.DataFrame, factor: str) -> pd.DataFrame:
    """Return rows indexed by the value of the factor instead of the variant, in its order."""
    values = [value_of(variant, factor) for variant in rows.index]
    known = [value is not None for value in values]
    return rows[known].set_axis([v for v in values if v is not None]).sort_index()


def draw_panel(axis: Axes, rows: pd.DataFrame, factor: str, digits: int) -> None:
    """Draw value and interval against the factor; a collapsed variant is marked at the edge."""
    look = METHODS["maspo"]
    start, end = focus(rows)
    axis.axvspan(*RANGES[factor], zorder=0, **RECOMMENDED)
    inside = rows[rows.value.between(start, end)]
    axis.plot(rows.index, rows.value.where(rows.value.between(start, end)), **look, markersize=8)
    axis.vlines(inside.index, inside.low, inside.high, color=look["color"], linewidth=1.2)
    for value, row in rows.drop(inside.index).iterrows():
        if pd.notna(row.value):
            mark_outside(axis, row.value, value, (start, end), look, False, digits)
    axis.set_ylim(start, end)
    if factor == "beta":
        axis.set_xscale("symlog", linthresh=0.01, linscale=0.5)
        axis.set_xlim(-0.004, 0.45)
    axis.set_xticks(rows.index, [f"{value:g}" for value in rows.index])
    axis.minorticks_off()
    axis.set_xlabel(rf"$\{factor}$")


def draw(means: pd.DataFrame, dynamics: pd.DataFrame, samples: int, factor: str) -> Figure:
    """Return the figure for ``<study>.csv`` and ``<study>_dynamics.csv``."""
    panels = {
        f"Avg@{samples} (%)": (scores(means, "avg_at_k"), 1),
        f"Pass@{samples} (%)": (scores(means, "pass_at_k"), 1),
        "Entropy at the end (nats)": (ending(dynamics, "entropy"), 2),
    }
    figure, axes = plt.subplots(1, len(panels), figsize=(9, 2.8), layout="constrained")
    for axis, (title, (rows, digits)) in zip(axes, panels.items(), strict=True):
        draw_panel(axis, by_value(rows, factor), factor, digits)
        axis.set_title(title)
    return figure


def main() -> None:
    options = arguments(__doc__, study="alpha")
    if options.study not in NAMED:
        names = ", ".join(NAMED)
        sys.exit(f"error: --study {options.study}: this figure is of {names} alone")
    means = read_table(options.tables / f"{options.study}.csv", MEANS)
    runs = read_table(options.tables / f"{options.study}_runs.csv", ["samples"])
    dynamics = read_table(options.tables / f"{options.study}_dynamics.csv", DYNAMICS)
    apply_style()
    figure = draw(means, dynamics, int(runs.samples.iloc[0]), options.study)
    save(figure, options.output, "sensitivity")


if __name__ == "__main__":
    main()
