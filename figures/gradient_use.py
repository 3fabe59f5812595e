"""Gradient use by old probability: which tokens a method lets through, and with what weight."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from reading import arguments, labels_of, read_table
from style import apply_style, dodge, dot, dots, legend, save, styles_for

COLUMNS = ["variant", "label", "bin_low", "bin_high", "tokens"]
COLUMNS += ["nonzero_fraction", "nonzero_low", "nonzero_high"]
COLUMNS += ["mean_weight", "weight_low", "weight_high"]
PANELS = {  # title: (value, low, high, factor)
    "Tokens with a gradient (%)": ("nonzero_fraction", "nonzero_low", "nonzero_high", 100),
    "Mean gradient weight": ("mean_weight", "weight_low", "weight_high", 1),
}


def share(use: pd.DataFrame) -> pd.DataFrame:
    """Return the fraction of a variant's tokens in each bin: a row a bin, a column a variant."""
    tokens = use.pivot(index="bin_low", columns="variant", values="tokens")
    return tokens / tokens.sum()


def draw(use: pd.DataFrame) -> Figure:
    """Return the figure for ``<study>_gradient_use.csv``."""
    labels = labels_of(use)
    styles = styles_for(labels)
    edges = [*sorted(use.bin_low.unique()), use.bin_high.max()]
    middles = np.arange(len(edges) - 1) + 0.5  # every bin is drawn equally wide
    figure, axes = plt.subplots(1, 3, figsize=(10, 3.7), layout="constrained")
    shares = 100 * share(use)
    for variant, aside in dodge(styles, 0.7).items():
        look = dot(styles[variant]) | {"markersize": 4}
        rows = use[use.variant == variant].sort_values("bin_low")
        place = middles[np.searchsorted(edges, rows.bin_low)] + aside
        for axis, (value, low, high, scale) in zip(axes, PANELS.values(), strict=False):
            bar = {"color": look["color"], "linewidth": 1}
            axis.vlines(place, scale * rows[low], scale * rows[high], **bar)
            axis.plot(place, scale * rows[value], **look)
        axes[2].plot(middles + aside, shares[variant], **look)
    for axis, title in zip(axes, [*PANELS, "Share of the tokens (%)"], strict=True):
        axis.set_title(title)
        axis.set_xticks(
            range(len(edges)), [f"{edge:g}" for edge in edges], fontsize=7.5, rotation=90
        )
        axis.set_xlabel(r"Old probability $\pi_{old}$ (bins)")
    axes[2].set_yscale("log")
    legend(figure, labels, dots(styles))
    return figure


def main() -> None:
    options = arguments(__doc__)
    use = read_table(options.tables / f"{options.study}_gradient_use.csv", COLUMNS)
    apply_style()
    save(draw(use), options.output, "gradient_use")


if __name__ == "__main__":
    main()
