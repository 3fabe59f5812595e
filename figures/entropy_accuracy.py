"""Entropy against accuracy: the way of each method through training, and where it ends."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intervals import focus
from reading import AVERAGE, arguments, curve, ending, labels_of, read_table
from style import Look, apply_style, dot, legend, save, styles_for

MEANS = ["variant", "label", "benchmark", "avg_at_k", "avg_at_k_low", "avg_at_k_high"]
DYNAMICS = ["variant", "label", "step", "metric", "mean", "low", "high"]


def ends(means: pd.DataFrame, dynamics: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return final entropy (nats) and Avg@k of the average (percent): value, low, high each."""
    variants = list(labels_of(dynamics))
    rows = means[means.benchmark == AVERAGE].set_index("variant").reindex(variants)
    names = {"avg_at_k": "value", "avg_at_k_low": "low", "avg_at_k_high": "high"}
    accuracy = 100 * rows[list(names)].rename(columns=names)
    return ending(dynamics, "entropy").reindex(variants), accuracy


def draw_ways(axis: Axes, dynamics: pd.DataFrame, styles: dict[str, Look]) -> None:
    """Draw reward against entropy over the steps; the marker stands at the end."""
    for variant, look in styles.items():
        entropy = curve(dynamics, variant, "entropy")["mean"]
        reward = curve(dynamics, variant, "reward")["mean"]
        axis.plot(entropy, reward, markevery=[len(entropy) - 1], **look)
    axis.set(xlabel="Entropy (nats)", ylabel="Reward", title="Over training")


def draw_ends(
    axis: Axes, entropy: pd.DataFrame, accuracy: pd.DataFrame, styles: dict[str, Look]
) -> None:
    """Draw final entropy and Avg@k with both intervals; a method outside stands at the border."""
    limits = focus(entropy, (0, np.inf)), focus(accuracy, (0, 100))
    for variant, look in styles.items():
        x, y = entropy.loc[variant], accuracy.loc[variant]
        place = np.clip(x.value, *limits[0]), np.clip(y.value, *limits[1])
        if place == (x.value, y.value):
            bar = {"color": look["color"], "linewidth": 1.1}
            axis.hlines(y.value, x.low, x.high, **bar)
            axis.vlines(x.value, y.low, y.high, **bar)
            axis.plot(*place, **dot(look))
        elif x.notna().value and y.notna().value:
            axis.plot(*place, **dot(look), markerfacecolor="white", clip_on=False, zorder=4)
            left, bottom = (np.mean(limit) > p for limit, p in zip(limits, place, strict=True))
            axis.annotate(
                f"outside: {x.value:.2f}, {y.value:.1f}",
                place,
                xytext=(8 if left else -8, 4 if bottom else -4),
                textcoords="offset points",
                ha="left" if left else "right",
                va="bottom" if bottom else "top",
                fontsize=7,
            )
    axis.set(xlim=limits[0], ylim=limits[1], xlabel="Entropy (nats)", title="At the end")


def draw(means: pd.DataFrame, dynamics: pd.DataFrame, samples: int) -> Figure:
    """Return the figure for ``<study>.csv`` and ``<study>_dynamics.csv``."""
    labels = labels_of(dynamics)
    styles = styles_for(labels)
    figure, axes = plt.subplots(1, 2, figsize=(8.5, 3.9), layout="constrained")
    draw_ways(axes[0], dynamics, styles)
    draw_ends(axes[1], *ends(means, dynamics), styles)
    axes[1].set_ylabel(f"Avg@{samples} (%)")
    legend(figure, labels, styles)
    return figure


def main() -> None:
    options = arguments(__doc__)
    means = read_table(options.tables / f"{options.study}.csv", MEANS)
    runs = read_table(options.tables / f"{options.study}_runs.csv", ["samples"])
    dynamics = read_table(options.tables / f"{options.study}_dynamics.csv", DYNAMICS)
    apply_style()
    save(draw(means, dynamics, int(runs.samples.iloc[0])), options.output, "entropy_accuracy")


if __name__ == "__main__":
    main()
