"""Facts of the miniature task: accuracy before and after training, facts gained and lost."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from reading import arguments, labels_of, read_table
from style import METHODS, Look, apply_style, dodge, dot, dots, legend, save, styles_for

CLASSES = {0: "met in RL", 1: "held out of RL"}  # by held_out
TURNS = {"gained": "lost", "found": "vanished"}  # to the right of 0, and to the left
TITLES = {
    "gained": "Facts lost (left) and gained: across an accuracy of 50 %",
    "found": "Facts vanished (left) and found: never right, once or more",
}
WIDE = 0.7  # of a bin, over which the variants stand side by side
COLUMNS = ["variant", "label", "held_out", "base_bin", "facts"]
COLUMNS += [
    name + end
    for name in ("base_accuracy", "trained_accuracy", *TURNS, *TURNS.values())
    for end in ("", "_low", "_high")
]
ALL = "attempted"  # the row of all bins
BASE = {"color": METHODS["base"]["color"], "linewidth": 1.6, "linestyle": "--"}


def draw_accuracy(axis: Axes, facts: pd.DataFrame, held_out: int, styles: dict[str, Look]) -> None:
    """Draw the trained accuracy by bin of the base's own, and that for comparison."""
    rows = facts[(facts.held_out == held_out) & (facts.base_bin != ALL)]
    rows = rows[rows.groupby("base_bin").facts.transform("max") > 0]
    bins = list(rows.base_bin.unique())
    rows = rows.assign(place=rows.base_bin.map(bins.index))
    for variant, aside in dodge(styles, WIDE).items():
        look = dot(styles[variant])
        own = rows[rows.variant == variant]
        place = own.place + aside
        low, high = 100 * own.trained_accuracy_low, 100 * own.trained_accuracy_high
        axis.vlines(place, low, high, color=look["color"], linewidth=1)
        axis.plot(place, 100 * own.trained_accuracy, **look, markersize=4.5)
    base = 100 * rows.groupby("place").base_accuracy.mean()
    axis.hlines(base, base.index - 0.45, base.index + 0.45, **BASE, zorder=1)
    count = rows.groupby("place").facts.mean()
    names = [fill(name.replace(" %", "\N{NO-BREAK SPACE}%"), 9) for name in bins]
    names = [f"{name}\n({count[place]:.0f})" for place, name in enumerate(names)]
    axis.set_xticks(range(len(bins)), names, fontsize=7.5)
    axis.set(xlim=(-0.5, len(bins) - 0.5), ylim=(-3, 103))
    axis.set_xlabel("The base policy was right (facts)")
    axis.set_title(f"Accuracy on facts {CLASSES[held_out]} (%)")
    axis.grid(axis="x", visible=False)


def draw_turns(axis: Axes, facts: pd.DataFrame, name: str, styles: dict[str, Look]) -> None:
    """Draw how many facts turned for better (right of 0) and for worse (left): two bars each."""
    rows = facts[facts.base_bin == ALL].set_index(["variant", "held_out"])
    for place, (variant, look) in enumerate(styles.items()):
        for held_out in CLASSES:
            if (variant, held_out) not in rows.index:
                continue
            row = rows.loc[variant, held_out]
            y = place + (0.19 if held_out else -0.19)
            for sign, column in ((1, name), (-1, TURNS[name])):
                fillings = {0: look["color"], 1: "white"}
                axis.barh(
                    y, sign * row[column], 0.34, color=fillings[held_out], edgecolor=look["color"]
                )
                bounds = sign * row[f"{column}_low"], sign * row[f"{column}_high"]
                axis.hlines(y, *bounds, color="white", linewidth=2.4)  # a rim, seen on any grey
                axis.hlines(y, *bounds, color="0.2", linewidth=1)
    axis.set_axisbelow(True)
    axis.axvline(0, color="0.2", linewidth=0.8)
    axis.set_ylim(len(styles) - 0.5, -0.5)
    axis.xaxis.set_major_formatter(lambda value, _: f"{abs(value):g}")
    left, right = (room(rows, column) for column in (TURNS[name], name))
    margin = 0.05 * max(left, right, 1)
    axis.set_xlim(-left - margin, right + margin)
    axis.set(title=TITLES[name], xlabel="Facts (mean over seeds)")
    axis.grid(axis="y", visible=False)


def room(rows: pd.DataFrame, column: str) -> float:
    """Return how far a side of the bars reaches, with its intervals if they are not far longer."""
    return float(np.nanmin([rows[f"{column}_high"].max(), 1.5 * rows[column].max()]))


def draw(facts: pd.DataFrame) -> Figure:
    """Return the figure for ``<study>_facts.csv``."""
    labels = labels_of(facts)
    styles = styles_for(labels)
    heights = [3, max(1.6, 0.34 * len(labels))]
    size = (10, 1.6 + sum(heights))
    figure, axes = plt.subplots(2, 2, figsize=size, height_ratios=heights, layout="constrained")
    for axis, held_out in zip(axes[0], CLASSES, strict=True):
        draw_accuracy(axis, facts, held_out, styles)
    for axis, name in zip(axes[1], TURNS, strict=True):
        draw_turns(axis, facts, name, styles)
        axis.set_yticks(range(len(labels)), [])
    names = [fill(label, 30) for label in labels.values()]
    axes[1, 0].set_yticks(range(len(labels)), names, fontsize=7.5)
    extra = [
        Line2D([], [], label="Base policy", **BASE),
        Patch(facecolor="0.3", edgecolor="0.3", label=CLASSES[0]),
        Patch(facecolor="white", edgecolor="0.3", label=CLASSES[1]),
    ]
    legend(figure, labels, dots(styles), extra)
    return figure


def main() -> None:
    options = arguments(__doc__)
    facts = read_table(options.tables / f"{options.study}_facts.csv", COLUMNS)
    apply_style()
    save(draw(facts), options.output, "facts")


if __name__ == "__main__":
    main()
