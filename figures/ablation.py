"""Ablation: Avg@k of every variant, and differences to MASPO paired by problem and seed."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from intervals import draw_intervals
from results import AVERAGE, arguments, labels_of, read_table
from style import apply_style, save, styles_for

WHOLE = "maspo"
MEANS = ["variant", "label", "benchmark", "avg_at_k", "avg_at_k_low", "avg_at_k_high"]
PAIRS = ["method", "reference", "benchmark", "metric", "difference", "low", "high", "p_holm"]


def differences(pairs: pd.DataFrame, metric: str, variants: list[str]) -> pd.DataFrame:
    """Return variant minus MASPO in points (value, low, high) and p_holm for each variant.

    A pair that was compared the other way round is turned. Variants that were not compared,
    and MASPO itself, are empty.
    """
    rows = pairs[(pairs.benchmark == AVERAGE) & (pairs.metric == metric)]
    forward = rows[rows.reference == WHOLE].rename(columns={"method": "variant"})
    turned = rows[rows.method == WHOLE].rename(columns={"reference": "variant"})
    turned = turned.assign(difference=-turned.difference, low=-turned.high, high=-turned.low)
    both = pd.concat([forward, turned]).drop_duplicates("variant").set_index("variant")
    both = both.rename(columns={"difference": "value"})[["value", "low", "high", "p_holm"]]
    return both.mul({"value": 100, "low": 100, "high": 100, "p_holm": 1}).reindex(variants)


def absolute(means: pd.DataFrame, variants: list[str]) -> pd.DataFrame:
    """Return Avg@k of the average in percent: value, low, high."""
    rows = means[means.benchmark == AVERAGE].set_index("variant").reindex(variants)
    names = {"avg_at_k": "value", "avg_at_k_low": "low", "avg_at_k_high": "high"}
    return 100 * rows[list(names)].rename(columns=names)


def write_p(axis: Axes, rows: pd.DataFrame) -> None:
    """Write the corrected p-value of each difference at the right of the panel."""
    for position, p in enumerate(rows.p_holm):
        if pd.notna(p):
            text = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"
            place = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": 7}
            axis.text(1.02, position, text, **place)


def draw(means: pd.DataFrame, pairs: pd.DataFrame, samples: int) -> Figure:
    """Return the figure for ``ablation.csv`` and ``ablation_comparisons.csv``."""
    labels = labels_of(means)
    variants = list(labels)
    looks = list(styles_for(labels).values())
    size = (10, 0.28 * len(labels) + 1.1)
    figure, axes = plt.subplots(1, 3, figsize=size, sharey=True, layout="constrained")
    draw_intervals(axes[0], absolute(means, variants), looks)
    axes[0].set_title(f"Avg@{samples} (%)")
    titles = {
        "avg": f"Avg@{samples} minus MASPO's (points)",
        "pass": f"Pass@{samples} minus MASPO's (points)",
    }
    for axis, (metric, title) in zip(axes[1:], titles.items(), strict=True):
        rows = differences(pairs, metric, variants)
        if rows.value.notna().any():
            draw_intervals(axis, rows, looks)
        write_p(axis, rows)
        low, high = axis.get_xlim()
        axis.set_xlim(min(low, -0.02 * (high - low)), max(high, 0.02 * (high - low)))
        axis.axvline(0, color="0.3", linewidth=0.8, zorder=1)
        axis.set_title(title)
    axes[0].set_yticks(range(len(labels)), list(labels.values()))
    return figure


def main() -> None:
    options = arguments(__doc__, study="ablation")
    means = read_table(options.tables / f"{options.study}.csv", MEANS)
    pairs = read_table(options.tables / f"{options.study}_comparisons.csv", PAIRS)
    runs = read_table(options.tables / f"{options.study}_runs.csv", ["samples"])
    apply_style()
    save(draw(means, pairs, int(runs.samples.iloc[0])), options.output, "ablation")


if __name__ == "__main__":
    main()
