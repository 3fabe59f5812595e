"""Differences between methods, paired by problem and seed: who differs, and by how much."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intervals import draw_intervals, focus
from reading import AVERAGE, arguments, read_table
from style import apply_style, dot, save, styles_for

PANELS = {"avg": "Avg@{} (points)", "pass": "Pass@{} (points)"}
COLUMNS = ["method", "method_label", "reference", "reference_label", "benchmark", "metric", "k"]
COLUMNS += ["difference", "low", "high", "p_holm"]
CLEAR = 0.05  # a corrected p-value below it is written in bold


def pairs_of(table: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return value, low and high (points), method and p_holm of the average, a row a pair."""
    rows = table[(table.benchmark == AVERAGE) & (table.metric == metric)]
    names = {"difference": "value", "low": "low", "high": "high"}
    points = 100 * rows[list(names)].rename(columns=names)
    return points.assign(method=rows.method, p_holm=rows.p_holm, name=names_of(rows))


def names_of(rows: pd.DataFrame) -> list[str]:
    """Return "MASPO - GRPO" for each row; what both sides share stands once, behind it."""
    names = []
    for method, reference in zip(rows.method_label, rows.reference_label, strict=True):
        left, right = method.split(", "), reference.split(", ")
        shared = [part for part in left[1:] if part in right[1:]]
        sides = (", ".join(part for part in side if part not in shared) for side in (left, right))
        names.append(", ".join([" \N{MINUS SIGN} ".join(sides), *shared]))
    return names


def write_p(axis: Axes, rows: pd.DataFrame) -> None:
    """Write the corrected p-value of each difference at the right of the panel."""
    place = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": 7}
    for position, p in enumerate(rows.p_holm):
        if pd.notna(p):
            text = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
            axis.text(1.02, position, text, weight="bold" if p < CLEAR else "normal", **place)


def draw(table: pd.DataFrame) -> Figure:
    """Return the figure for ``<study>_comparisons.csv``: a row a pair, a panel a metric."""
    panels = {metric: pairs_of(table, metric) for metric in PANELS}
    names = list(panels["avg"].name)
    looks = styles_for(dict.fromkeys(panels["avg"].method))
    size = (9.5, max(2.4, 0.26 * len(names) + 1))  # a single pair needs room for its axis
    figure, axes = plt.subplots(1, len(panels), figsize=size, sharey=True, layout="constrained")
    for axis, (metric, rows) in zip(axes, panels.items(), strict=True):
        low, high = focus(rows, (-100, 100)) if len(rows) else (-1, 1)
        edge = 0.03 * (high - low)
        limits = min(low, -edge), max(high, edge)  # 0 is always in view
        axis.axvline(0, color="0.3", linewidth=0.8, zorder=1)
        draw_intervals(axis, rows, [dot(looks[name]) for name in rows.method], limits=limits)
        write_p(axis, rows)
        axis.set_title(PANELS[metric].format(table.k.max()))
    axes[0].set_yticks(range(len(names)), names)
    return figure


def main() -> None:
    options = arguments(__doc__)
    table = read_table(options.tables / f"{options.study}_comparisons.csv", COLUMNS, empty=True)
    apply_style()
    save(draw(table), options.output, "differences")


if __name__ == "__main__":
    main()
