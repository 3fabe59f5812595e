"""Avg@k of every method on every benchmark: mean over seeds with its interval, and each seed."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure

from intervals import draw_intervals, focus
from reading import AVERAGE, arguments, labels_of, read_table
from style import apply_style, save, styles_for

METRIC = "avg_at_k"
MEANS = ["variant", "label", "benchmark", METRIC, f"{METRIC}_low", f"{METRIC}_high"]
RUNS = ["variant", "seed", "benchmark", "samples", METRIC]


def intervals_of(means: pd.DataFrame, benchmark: str, variants: list[str]) -> pd.DataFrame:
    """Return value, low and high in percent for each variant on one benchmark."""
    rows = means[means.benchmark == benchmark].set_index("variant").reindex(variants)
    names = {METRIC: "value", f"{METRIC}_low": "low", f"{METRIC}_high": "high"}
    return 100 * rows[list(names)].rename(columns=names)


def draw(means: pd.DataFrame, runs: pd.DataFrame) -> Figure:
    """Return the figure for ``<study>.csv`` and ``<study>_runs.csv``: a panel a benchmark."""
    labels = labels_of(means, base=True)
    styles = styles_for(labels)
    variants = list(labels)
    names = sorted(means.benchmark.unique(), key=lambda name: name != AVERAGE)  # average first
    columns = min(4, len(names))
    rows = -(-len(names) // columns)
    size = (10, rows * (0.9 + 0.2 * len(labels)) + 0.4)
    figure, axes = plt.subplots(
        rows, columns, figsize=size, sharey=True, squeeze=False, layout="constrained"
    )
    for axis, name in zip(axes.flat, names, strict=False):
        table = intervals_of(means, name, variants)
        seeds = runs[runs.benchmark == name]
        start, end = focus(table, (0, 100))
        for position, variant in enumerate(variants):
            values = 100 * seeds[METRIC][seeds.variant == variant]
            if len(values) > 1:
                low, high = min(start, table.low.min()), max(end, table.high.max())
                shown = values[values.between(low, high)]
                if start <= table.value[variant] <= end:
                    start, end = min(start, shown.min()), max(end, shown.max())
                    axis.plot(shown, [position + 0.3] * len(shown), "|", color="0.45", ms=5)
        draw_intervals(axis, table, list(styles.values()), limits=(start, end))
        axis.set_title(name, fontweight="bold" if name == AVERAGE else "normal")
        axis.set_yticks(range(len(labels)), list(labels.values()))
    for axis in axes.flat[len(names) :]:
        axis.set_visible(False)
    figure.supxlabel(f"Avg@{int(runs.samples.iloc[0])} (%)", fontsize=9)
    return figure


def main() -> None:
    options = arguments(__doc__)
    means = read_table(options.tables / f"{options.study}.csv", MEANS)
    runs = read_table(options.tables / f"{options.study}_runs.csv", RUNS)
    apply_style()
    save(draw(means, runs), options.output, "avg_at_k")


if __name__ == "__main__":
    main()
