"""Pass@k and best@k against k: the average, its differences and two ends, and each benchmark.

Pass@k is the unbiased estimator (k draws without replacement); best@k = 1 - (1 - c/n)^k, with
replacement, is what the paper's framework prints as Pass@k. They are named apart.
"""

from textwrap import fill

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from intervals import draw_intervals
from reading import AVERAGE, BASE, arguments, labels_of, read_table
from style import GREY, Look, apply_style, legend, save, styles_for

COLUMNS = ["variant", "label", "benchmark", "metric", "k", "value", "low", "high"]
DASHED = {"linestyle": (0, (4, 2)), "linewidth": 0.8}


def rows_of(table: pd.DataFrame, benchmark: str, variant: str, metric: str) -> pd.DataFrame:
    """Return value, low and high in percent by k."""
    rows = table[
        (table.benchmark == benchmark) & (table.variant == variant) & (table.metric == metric)
    ]
    return 100 * rows.set_index("k")[["value", "low", "high"]].sort_index()


def at(table: pd.DataFrame, metric: str, k: int, styles: dict[str, Look]) -> pd.DataFrame:
    """Return value, low and high in percent of the average at one k, a row a variant."""
    rows = table[(table.benchmark == AVERAGE) & (table.metric == metric) & (table.k == k)]
    return 100 * rows.set_index("variant")[["value", "low", "high"]].reindex(list(styles))


def draw_curves(
    axis: Axes, table: pd.DataFrame, benchmark: str, styles: dict[str, Look], markers: bool
) -> None:
    """Draw both estimators of every variant on one benchmark against log2 k."""
    for variant, look in styles.items():
        passed = rows_of(table, benchmark, variant, "pass")
        best = rows_of(table, benchmark, variant, "best")
        marker = {"marker": look["marker"], "markersize": 4} if markers else {}
        axis.plot(passed.index, passed.value, "-", color=look["color"], lw=1.2, **marker)
        axis.fill_between(
            passed.index, passed.low, passed.high, color=look["color"], alpha=0.1, linewidth=0
        )
        axis.plot(best.index, best.value, color=look["color"], **DASHED)
    mark_k(axis, table)
    axis.set_title(benchmark, fontweight="bold" if benchmark == AVERAGE else "normal")


def draw_differences(axis: Axes, table: pd.DataFrame, styles: dict[str, Look]) -> None:
    """Draw Pass@k of the average minus that of the first trained variant: the curves lie close."""
    first, *others = [name for name in styles if name != BASE]
    reference = rows_of(table, AVERAGE, first, "pass").value
    axis.axhline(0, color=styles[first]["color"], linewidth=1.2)
    for variant in others:
        look = styles[variant] | {"linestyle": "-", "linewidth": 1.2, "markersize": 4}
        axis.plot(rows_of(table, AVERAGE, variant, "pass").value - reference, **look)
    mark_k(axis, table)
    label = table.label[table.variant == first].iloc[0]
    axis.set_title(fill(f"Pass@k minus that of {label} (points)", 34))
    axis.set_xlabel("k")


def mark_k(axis: Axes, table: pd.DataFrame) -> None:
    """Give an axis its numbers of draws, equally far apart."""
    ticks = sorted(table.k.unique())
    axis.set_xscale("log", base=2)
    axis.set_xticks(ticks, [f"{k:g}" for k in ticks])
    axis.minorticks_off()


def draw(table: pd.DataFrame) -> Figure:
    """Return the figure for the rows of ``<study>_at_k.csv``."""
    labels = labels_of(table, base=True)
    styles = styles_for(labels)
    looks = list(styles.values())
    names = [name for name in table.benchmark.unique() if name != AVERAGE]
    most = int(table.k.max())
    figure = plt.figure(figsize=(10, 6.2), layout="constrained")
    top, bottom = figure.add_gridspec(2, 1, height_ratios=[1.35, 1])
    axes = top.subgridspec(1, 5, width_ratios=[2, 2.4, 1, 1, 1]).subplots()
    draw_curves(axes[0], table, AVERAGE, styles, markers=True)
    axes[0].set_ylabel("Problems solved (%)")
    axes[0].set_xlabel("k")
    draw_differences(axes[1], table, styles)
    ends = {
        "Pass@1 (= Avg@1)": at(table, "pass", 1, styles),
        f"Pass@{most}": at(table, "pass", most, styles),
        f"best@{most}": at(table, "best", most, styles),
    }
    for axis, (title, rows) in zip(axes[2:], ends.items(), strict=True):
        draw_intervals(axis, rows, looks, horizontal=False)
        axis.set_title(title)
        axis.set_xticks([])
    small = bottom.subgridspec(1, len(names)).subplots(sharey=True, squeeze=False)[0]
    for axis, name in zip(small, names, strict=True):
        draw_curves(axis, table, name, styles, markers=False)
        axis.tick_params(labelsize=7)
        axis.set_xlabel("k")
    small[0].set_ylabel("Problems solved (%)")
    kinds = [
        Line2D([], [], color=GREY, linestyle="-", label="Pass@k, unbiased"),
        Line2D([], [], color=GREY, label="best@k, with replacement", **DASHED),
    ]
    legend(
        figure, labels, {name: look | {"linestyle": "-"} for name, look in styles.items()}, kinds
    )
    return figure


def main() -> None:
    options = arguments(__doc__)
    table = read_table(options.tables / f"{options.study}_at_k.csv", COLUMNS)
    apply_style()
    save(draw(table), options.output, "pass_at_k")


if __name__ == "__main__":
    main()
