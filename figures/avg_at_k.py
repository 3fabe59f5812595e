"""Avg@k by method: one group of bars a benchmark, a dot for each seed."""

import matplotlib.pyplot as plt
import numpy as np

from results import arguments, read_scores
from style import apply_style, save, styles_for

HATCHES = ["", "//", "..", "xx", "\\\\", "++", "oo", "--"]


def main() -> None:
    options = arguments(__doc__)
    scores = read_scores(options.results, options.sweep)
    samples = int(scores.samples.iloc[0])
    labels = scores.drop_duplicates("variant").set_index("variant").label
    styles = styles_for(list(labels.index))
    benchmarks = list(scores.benchmark.unique())
    apply_style()
    figure, axis = plt.subplots(figsize=(8, 3.4), layout="constrained")
    width = 0.84 / len(labels)
    for i, (variant, label) in enumerate(labels.items()):
        rows = scores[scores.variant == variant]
        position = np.arange(len(benchmarks)) + (i - (len(labels) - 1) / 2) * width
        values = 100 * rows.groupby("benchmark").avg_at_k.mean().reindex(benchmarks)
        axis.bar(
            position,
            values,
            width,
            label=label,
            color=styles[variant]["color"],
            hatch=HATCHES[i % len(HATCHES)],
            edgecolor="white",
            linewidth=0.4,
        )
        for _, seed in rows.groupby("seed"):
            dots = 100 * seed.set_index("benchmark").avg_at_k.reindex(benchmarks)
            axis.plot(position, dots, "o", color="white", mec="black", ms=2.5, mew=0.6)
    axis.set_xticks(range(len(benchmarks)), benchmarks)
    axis.set_ylabel(f"Avg@{samples} (%)")
    axis.grid(axis="x", visible=False)
    axis.margins(x=0.01)
    figure.legend(loc="outside lower center", ncols=len(labels))
    save(figure, options.output, "avg_at_k")


if __name__ == "__main__":
    main()
