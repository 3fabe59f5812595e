"""Stability: scores against the learning rate and the staleness of the data; collapsed runs."""

import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results import arguments, read_table
from style import METHODS, Look, apply_style, legend, save, styles_for

FACTORS = {"lr": "Learning rate", "updates_per_batch": "Updates on one rollout batch"}
MEASURES = {  # column: (title, factor from the column to what is drawn)
    "avg_at_k": ("Avg@k (%)", 100),
    "final_reward": ("Reward at the end", 1),
    "final_entropy": ("Entropy at the end (nats)", 1),
}
COLUMNS = ["variant", "label", "objective", "factor", "value", "seeds", "collapsed"] + [
    column + end for column in MEASURES for end in ("", "_low", "_high")
]


def of_factor(stability: pd.DataFrame, factor: str) -> pd.DataFrame:
    """Return the rows in which a factor of training was varied, its value as a number."""
    rows = stability[stability.factor == factor].copy()
    return rows.assign(value=rows.value.astype(float)).sort_values("value", kind="stable")


def draw_panel(
    axis: Axes, rows: pd.DataFrame, column: str, scale: float, styles: dict[str, Look]
) -> None:
    """Draw a measure against the factor; a ring counts the seeds that collapsed."""
    values = sorted(rows.value.unique())
    for i, (objective, look) in enumerate(styles.items()):
        own = rows[rows.objective == objective]
        shift = (i - (len(styles) - 1) / 2) * 0.09  # side by side, or intervals hide each other
        position = np.searchsorted(values, own.value) + shift
        axis.vlines(position, scale * own[f"{column}_low"], scale * own[f"{column}_high"],
                    color=look["color"], linewidth=1.2)
        axis.plot(position, scale * own[column], **look)
        hit = own.collapsed > 0
        axis.plot(position[hit], scale * own[column][hit], **COLLAPSED)
        for x, row in zip(position[hit], own[hit].itertuples(), strict=True):
            place = {"xytext": (9, 0), "textcoords": "offset points", "va": "center"}
            text = f"{row.collapsed:g}/{row.seeds:g}"
            axis.annotate(text, (x, scale * getattr(row, column)), fontsize=7, **place)
    axis.set_xticks(range(len(values)), [f"{value:g}" for value in values])
    axis.set_xlim(-0.4, len(values) - 0.5)
    axis.margins(y=0.1)


COLLAPSED = {"linestyle": "none", "marker": "o", "mfc": "none", "mec": "black", "ms": 12}


def draw(stability: pd.DataFrame) -> Figure:
    """Return the figure for ``stability.csv``: a row a factor, a column a measure."""
    factors = [factor for factor in FACTORS if (stability.factor == factor).any()]
    varied = stability[stability.factor.isin(factors)]
    names = varied.groupby("objective", sort=False).label.first()
    styles = styles_for(varied.objective.unique())
    labels = {name: names[name].split(",")[0] for name in styles}
    figure, axes = plt.subplots(
        len(factors),
        len(MEASURES),
        figsize=(9, 2.5 * len(factors) + 0.5),
        squeeze=False,
        layout="constrained",
    )
    for line, factor in zip(axes, factors, strict=True):
        rows = of_factor(stability, factor)
        for axis, (column, (title, scale)) in zip(line, MEASURES.items(), strict=True):
            draw_panel(axis, rows, column, scale, styles)
            axis.set(title=title, xlabel=FACTORS[factor])
    ring = Line2D([], [], label="collapsed seeds / seeds", **COLLAPSED)
    legend(figure, labels, styles, [ring])
    return figure


def main() -> None:
    options = arguments(__doc__, study=None)
    path = options.tables / "stability.csv"
    stability = read_table(path, COLUMNS)
    if not stability.factor.isin(list(FACTORS)).any():
        sys.exit(f"error: {path} has no row whose factor is one of {', '.join(FACTORS)}")
    apply_style()
    save(draw(stability), options.output, "stability")


if __name__ == "__main__":
    main()
