"""Training dynamics: reward, entropy, length, gate, gradient and ratio over training.

Each panel has the curves, and beside them the end of training on an axis of its own.
"""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from intervals import draw_intervals
from results import arguments, curve, ending, labels_of, read_table
from style import Look, apply_style, legend, save, styles_for

PANELS = {  # metric: (title, scale of the axis)
    "reward": ("Reward", "linear"),
    "entropy": ("Entropy (nats)", "linear"),
    "completion_length": ("Completion length (tokens)", "linear"),
    "gated_fraction": ("Tokens of weight < 1", "linear"),
    "gradient_norm": ("Gradient norm", "log"),
    "ratio_max": ("Largest ratio", "log"),
}
COLUMNS = ["variant", "label", "step", "metric", "mean", "low", "high", "seeds"]


def draw_curves(axis: Axes, dynamics: pd.DataFrame, metric: str, styles: dict[str, Look]) -> None:
    """Draw a metric of every variant over the steps, with the band over seeds."""
    for i, (variant, look) in enumerate(styles.items()):
        steps = curve(dynamics, variant, metric).dropna(subset="mean")
        apart = max(1, len(steps) // 6)  # markers of different curves stand at different steps
        first = i * apart // len(styles)
        axis.plot(steps.index, steps["mean"], markevery=(first, apart), markersize=4, **look)
        band = {"color": look["color"], "alpha": 0.12, "linewidth": 0}
        axis.fill_between(steps.index, steps.low, steps.high, **band)


def draw(dynamics: pd.DataFrame) -> Figure:
    """Return the figure for the rows of ``<study>_dynamics.csv``."""
    labels = labels_of(dynamics)
    styles = styles_for(labels)
    figure = plt.figure(figsize=(10, 5.4), layout="constrained")
    grid = figure.add_gridspec(2, 6, width_ratios=[4, 1.5] * 3)
    for i, (metric, (title, scale)) in enumerate(PANELS.items()):
        row, column = divmod(i, 3)
        curves = figure.add_subplot(grid[row, 2 * column])
        draw_curves(curves, dynamics, metric, styles)
        curves.set_title(title)
        if scale == "log":
            curves.set_yscale("log")
            means = dynamics["mean"][(dynamics.metric == metric) & (dynamics["mean"] > 0)]
            curves.set_ylim(bottom=means.min() / 2)  # a band may reach down to 0 and below
            curves.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            curves.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            curves.yaxis.set_minor_formatter(NullFormatter())
        if row == 1:
            curves.set_xlabel("Rollout batch")
        ends = figure.add_subplot(grid[row, 2 * column + 1])
        final = ending(dynamics, metric).reindex(list(styles))
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
