"""Training dynamics: reward, entropy, length, gate, gradient and ratio over training.

Each panel has the curves, and beside them the end of training on an axis of its own.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from intervals import draw_intervals
from reading import arguments, curve, ending, labels_of, read_table
from style import Look, apply_style, legend, save, styles_for

PANELS = {  # metric: (title, scale of the axis, what is possible)
    "reward": ("Reward", "linear", (0, 1)),
    "entropy": ("Entropy (nats)", "linear", (0, None)),
    "completion_length": ("Completion length (tokens)", "linear", (0, None)),
    "gated_fraction": ("Tokens of weight < 1 (share)", "linear", (0, 1)),
    "gradient_norm": ("Gradient norm", "log", (0, None)),
    "ratio_max": ("Largest ratio", "log", (0, None)),
}
COLUMNS_OF_PANELS = 3
FEW = 8  # variants; bands of more hide the curves
ROOM = 0.6  # of the range of the means, that a band may reach beyond them
COLUMNS = ["variant", "label", "step", "metric", "mean", "low", "high", "seeds"]


def draw_curves(axis: Axes, dynamics: pd.DataFrame, metric: str, styles: dict[str, Look]) -> None:
    """Draw a metric of every variant over the steps, with the band over seeds.

    Bands are cut where the metric ends, and the axis is that of the means: bands of two seeds
    would flatten them.
    """
    title, scale, possible = PANELS[metric]
    drawn = []
    for i, (variant, look) in enumerate(styles.items()):
        steps = curve(dynamics, variant, metric).dropna(subset="mean")
        apart = max(1, len(steps) // 6)  # markers of different curves stand at different steps
        first = i * apart // len(styles)
        axis.plot(steps.index, steps["mean"], markevery=(first, apart), markersize=4, **look)
        if len(styles) <= FEW:
            low, high = (steps[end].clip(*possible) for end in ("low", "high"))
            band = {"color": look["color"], "alpha": 0.12, "linewidth": 0}
            axis.fill_between(steps.index, low, high, **band)
        drawn.append(steps["mean"])
    axis.set_title(title)
    means = pd.concat(drawn)
    if scale == "log":
        axis.set_yscale("log")
        positive = means[means > 0]
        axis.set_ylim(positive.min() / 2, positive.max() * 2)
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        axis.yaxis.set_minor_formatter(NullFormatter())
    elif means.max() > means.min():
        room = ROOM * (means.max() - means.min())
        edge = 0.03 * (means.max() - means.min())  # so that a curve along 0 can be seen
        low, high = (-edge if end == 0 else end for end in possible)
        axis.set_ylim(max(means.min() - room, low), min(means.max() + room, high or np.inf))


def draw(dynamics: pd.DataFrame) -> Figure:
    """Return the figure for the rows of ``<study>_dynamics.csv``."""
    labels = labels_of(dynamics)
    styles = styles_for(labels)
    rows = -(-len(PANELS) // COLUMNS_OF_PANELS)
    figure = plt.figure(figsize=(10, 2.7 * rows), layout="constrained")
    widths = [4, 1.5] * COLUMNS_OF_PANELS
    grid = figure.add_gridspec(rows, len(widths), width_ratios=widths)
    for i, (metric, (_, _, possible)) in enumerate(PANELS.items()):
        row, column = divmod(i, COLUMNS_OF_PANELS)
        curves = figure.add_subplot(grid[row, 2 * column])
        draw_curves(curves, dynamics, metric, styles)
        if row == rows - 1:
            curves.set_xlabel("Rollout batch")
        ends = figure.add_subplot(grid[row, 2 * column + 1])
        final = ending(dynamics, metric).reindex(list(styles)).clip(*possible)
        if final.value.notna().any():
            draw_intervals(ends, final, list(styles.values()), horizontal=False, digits=2)
        ends.set_title("at the end", fontsize=8, color="0.35")
        ends.set_xticks([])
        ends.tick_params(labelsize=7)
    legend(figure, labels, styles)
    return figure


def main() -> None:
    options = arguments(__doc__)
    dynamics = read_table(options.tables / f"{options.study}_dynamics.csv", COLUMNS)
    apply_style()
    save(draw(dynamics), options.output, "training_dynamics")


if __name__ == "__main__":
    main()
