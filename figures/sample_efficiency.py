"""Sample efficiency: the reward curve, the steps to given rewards, and the area under the curve."""

import re

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intervals import draw_intervals, focus
from reading import arguments, curve, labels_of, read_table
from style import Look, apply_style, dot, legend, line, save, styles_for

DYNAMICS = ["variant", "label", "step", "metric", "mean", "low", "high"]
EFFICIENCY = ["variant", "label", "seed", "area", "area_low", "area_high"]


def thresholds(efficiency: pd.DataFrame) -> dict[float, str]:
    """Return the rewards whose steps were counted, and the column of each, in rising order."""
    found = {
        float(match[1]): column
        for column in efficiency
        if (match := re.fullmatch(r"steps_to_([0-9.]+)", column))
    }
    return dict(sorted(found.items()))


def areas(efficiency: pd.DataFrame) -> pd.DataFrame:
    """Return the mean area of each variant with its interval; none, with one seed."""
    rows = efficiency.groupby("variant", sort=False)[["area", "area_low", "area_high"]].mean()
    rows = rows.set_axis(["value", "low", "high"], axis=1)
    return rows.assign(low=rows.low.fillna(rows.value), high=rows.high.fillna(rows.value))


def draw_rewards(
    axis: Axes, dynamics: pd.DataFrame, efficiency: pd.DataFrame, styles: dict[str, Look]
) -> None:
    """Draw the reward of every variant, marked where its seeds reach a threshold on average."""
    for reward in thresholds(efficiency):
        axis.axhline(reward, color="0.5", linewidth=0.7, linestyle=":")
    for variant, look in styles.items():
        steps = curve(dynamics, variant, "reward")
        axis.plot(steps.index, steps["mean"], **line(look))
        band = {"color": look["color"], "alpha": 0.1, "linewidth": 0}
        axis.fill_between(steps.index, steps.low.clip(0, 1), steps.high.clip(0, 1), **band)
        own = efficiency[efficiency.variant == variant]
        for reward, column in thresholds(efficiency).items():
            if own[column].notna().all():
                axis.plot(own[column].mean(), reward, **dot(look), markeredgecolor="white", mew=0.5)
    axis.set(xlabel="Rollout batch", title="Reward", ylim=(0, 1))


def draw_steps(axis: Axes, efficiency: pd.DataFrame, styles: dict[str, Look]) -> None:
    """Draw, for each threshold and variant, every seed's steps and their mean.

    Variants of which a seed does not reach the threshold have no mean, and say how many do.
    """
    count = len(styles)
    ticks = []
    for group, column in enumerate(thresholds(efficiency).values()):
        for i, (variant, look) in enumerate(styles.items()):
            steps = efficiency[column][efficiency.variant == variant]
            position = group * (count + 1.5) + count - 1 - i  # the first variant at the top
            reached = steps.dropna()
            axis.plot(reached, [position] * len(reached), "|", color=look["color"], ms=6)
            if len(reached) == len(steps):
                axis.plot(steps.mean(), position, **dot(look))
            else:
                text = f"{len(reached)} of {len(steps)} seeds"
                place = {"transform": axis.get_yaxis_transform(), "va": "center"}
                axis.text(1.01, position, text, fontsize=6.5, color="0.3", **place)
        ticks.append(group * (count + 1.5) + (count - 1) / 2)
    axis.set_yticks(ticks, [f"{reward:g}" for reward in thresholds(efficiency)])
    axis.set_xlim(left=0)
    axis.grid(axis="y", visible=False)
    axis.set(xlabel="Rollout batches", ylabel="Reward to reach", title="Steps to a reward")


def draw_area(axis: Axes, efficiency: pd.DataFrame, styles: dict[str, Look]) -> None:
    """Draw mean reward over the whole training: mean of the seeds and its interval."""
    rows = areas(efficiency).reindex(list(styles))
    draw_intervals(axis, rows, list(styles.values()), limits=focus(rows, (0, 1)), digits=3)
    axis.set_yticks([])
    axis.set(xlabel="Mean reward over training", title="Area under the curve")


def draw(dynamics: pd.DataFrame, efficiency: pd.DataFrame) -> Figure:
    """Return the figure for ``<study>_dynamics.csv`` and ``<study>_efficiency.csv``."""
    labels = labels_of(efficiency)
    styles = styles_for(labels)
    columns = list(thresholds(efficiency).values())
    texts = len(styles) * len(columns) * efficiency[columns].isna().any(axis=None)
    height = max(4.2, 2 + 0.1 * texts)  # a line of text for each that a seed does not reach
    figure, axes = plt.subplots(
        1, 3, figsize=(10, height), width_ratios=[1.5, 1.1, 1], layout="constrained"
    )
    draw_rewards(axes[0], dynamics, efficiency, styles)
    draw_steps(axes[1], efficiency, styles)
    draw_area(axes[2], efficiency, styles)
    legend(figure, labels, styles)
    return figure


def main() -> None:
    options = arguments(__doc__)
    dynamics = read_table(options.tables / f"{options.study}_dynamics.csv", DYNAMICS)
    efficiency = read_table(options.tables / f"{options.study}_efficiency.csv", EFFICIENCY)
    apply_style()
    save(draw(dynamics, efficiency), options.output, "sample_efficiency")


if __name__ == "__main__":
    main()
