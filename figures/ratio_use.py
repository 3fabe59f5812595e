"""Use of tokens by ratio: what a method lets through outside of its region, and what comes back."""

from textwrap import fill

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from reading import arguments, labels_of, read_table
from style import Look, apply_style, dodge, dot, dots, legend, save, styles_for

USE = ["variant", "label", "bin_low", "bin_high", "mean_weight", "weight_low", "weight_high"]
USE += ["share", "share_low", "share_high"]
WAYS = {  # behind the last update, with how dark it is drawn
    "back": ("back below 1.2", 0.12),
    "nearer": ("nearer to 1", 0.35),
    "same": ("in the same bin", 0.65),
    "further": ("further out", 1.0),
}
MOVES = ["variant", "label", "step", "bin_low", "bin_high", "tokens", "beyond", *WAYS]
CLIPS = (1.2, 1.28)  # the upper ones, of GRPO and of Clip Higher
WIDE = 0.7  # of a bin, over which the variants stand side by side


def pooled(moves: pd.DataFrame, names: list[str], by: list[str]) -> pd.DataFrame:
    """Return mean shares over steps and bins, each as heavy as it has tokens."""
    rows = moves[moves.tokens > 0].set_index(by)
    groups = rows[names].mul(rows.tokens, axis=0).groupby(by, sort=False).sum()
    return groups.div(rows.groupby(by, sort=False).tokens.sum(), axis=0)


def draw_bins(
    axis: Axes, rows: pd.DataFrame, value: str, bounds: str, scale: float, styles: dict[str, Look]
) -> None:
    """Draw a column by bin for each variant, and its interval `bounds` where the rows have one.

    The axis shows every value, and of the intervals what fits beside them.
    """
    for variant, aside in dodge(styles, WIDE).items():
        look = dot(styles[variant])
        own = rows[rows.variant == variant]
        place = own.place + aside
        if f"{bounds}_low" in own:
            ends = (scale * own[f"{bounds}_{end}"] for end in ("low", "high"))
            axis.vlines(place, *ends, color=look["color"], linewidth=0.8)
        axis.plot(place, scale * own[value], **look, markersize=3.5)
    low, high = scale * min(0, rows[value].min()), scale * rows[value].max()
    axis.set_ylim(low - 0.05 * (high - low), high + 0.08 * (high - low))


def draw_ways(
    axis: Axes, moves: pd.DataFrame, labels: dict[str, str], styles: dict[str, Look]
) -> None:
    """Draw where the tokens went that were beyond the smaller clip: a bar a variant."""
    outside = moves[moves.bin_low >= CLIPS[0]]
    shares = 100 * pooled(outside, list(WAYS), ["variant"]).reindex(list(labels))
    tokens = outside.groupby("variant").tokens.sum()
    for place, variant in enumerate(labels):
        start = 0.0
        for way, (_, shade) in WAYS.items():
            width = shares.loc[variant, way]
            look = {"color": (styles[variant]["color"], shade), "edgecolor": "white"}
            axis.barh(place, width, left=start, height=0.75, **look)
            start += width
        beside = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": 7}
        axis.text(1.01, place, f"of {tokens.get(variant, 0):,}", **beside)
    many = len(labels) >= 10
    names = list(labels.values()) if many else [fill(label, 30) for label in labels.values()]
    axis.set_yticks(range(len(labels)), names, fontsize=6 if many else 7.5)
    axis.set(xlim=(0, 100), ylim=(len(labels) - 0.5, -0.5), xlabel="Share (%)")
    axis.set_title("Tokens beyond 1.2 at their update: where after the last")
    axis.grid(visible=False)


def mark_bins(axis: Axes, edges: list[float]) -> None:
    """Label the edges of the bins, all equally wide, and mark the clips."""
    names = ["\N{INFINITY}" if edge >= 1e9 else f"{edge:g}" for edge in edges]
    axis.set_xticks(range(len(edges)), names, fontsize=7.5, rotation=90)
    axis.set(xlim=(-0.2, len(edges) - 0.8), xlabel="Outward ratio at the token's own update (bins)")
    for clip in CLIPS:
        axis.axvline(edges.index(clip), color="0.3", linewidth=0.9, linestyle=":", zorder=1)


def draw(use: pd.DataFrame, moves: pd.DataFrame) -> Figure:
    """Return the figure for ``<study>_ratio_use.csv`` and ``<study>_ratio_moves.csv``."""
    labels = labels_of(use)
    styles = styles_for(labels)
    edges = [*sorted(use.bin_low.unique()), use.bin_high.max()]
    use = use.assign(place=np.searchsorted(edges, use.bin_low) + 0.5).sort_values("place")
    panels = [["weight", "share"], ["beyond", "ways"]][: 1 if moves.empty else 2]
    heights = [3.2, max(3.2, 0.2 * len(labels))][: len(panels)]  # a bar a variant
    figure, axes = plt.subplot_mosaic(
        panels, figsize=(10, sum(heights)), height_ratios=heights, layout="constrained"
    )
    draw_bins(axes["weight"], use, "mean_weight", "weight", 1, styles)
    draw_bins(axes["share"], use[use.share > 0], "share", "share", 100, styles)
    axes["weight"].set_title("Mean gradient weight")
    least = 100 * use.share[use.share > 0].min()
    axes["share"].set(title="Share of the tokens (%)", yscale="log", ylim=(least / 2, 105))
    extra = []
    if not moves.empty:
        after = pooled(moves, ["beyond"], ["variant", "bin_low"]).reset_index()
        after = after.assign(place=np.searchsorted(edges, after.bin_low) + 0.5)
        after = after.sort_values("place")
        draw_bins(axes["beyond"], after, "beyond", "none", 100, styles)
        axes["beyond"].set(
            title="Beyond 1.2 after the last update of the batch (%)", ylim=(-4, 104)
        )
        draw_ways(axes["ways"], moves, labels, styles)
        extra = [Patch(facecolor=("black", shade), label=name) for name, shade in WAYS.values()]
    for name in set(axes) - {"ways"}:
        mark_bins(axes[name], edges)
    legend(figure, labels, dots(styles), extra)
    return figure


def main() -> None:
    options = arguments(__doc__)
    use = read_table(options.tables / f"{options.study}_ratio_use.csv", USE)
    moves = read_table(options.tables / f"{options.study}_ratio_moves.csv", MOVES, empty=True)
    apply_style()
    save(draw(use, moves), options.output, "ratio_use")


if __name__ == "__main__":
    main()
