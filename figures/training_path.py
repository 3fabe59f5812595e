"""Entropy against Avg@n and Pass@n on the way: from the base policy over snapshots to the end."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reading import arguments, labels_of, read_table
from style import METHODS, Look, apply_style, dot, legend, line, save, styles_for

PANELS = {"avg_at_k": "Avg@{} (%)", "pass_at_k": "Pass@{} (%)"}
BOUNDS = ("entropy", *PANELS)
COLUMNS = ["variant", "label", "step", "problems", "samples"]
COLUMNS += [name + end for name in BOUNDS for end in ("", "_low", "_high")]


def draw_path(axis: Axes, rows: pd.DataFrame, column: str, look: Look) -> None:
    """Draw one variant's way: small dots at its snapshots, its marker at the end."""
    x, y = rows.entropy.to_numpy(), 100 * rows[column].to_numpy()
    axis.plot(x, y, **line(look), linewidth=1.1)
    axis.plot(x[1:-1], y[1:-1], color=look["color"], marker=".", linestyle="none")
    axis.plot(x[-1:], y[-1:], **dot(look) | {"markersize": 7}, zorder=4)


def typical(snapshots: pd.DataFrame, column: str) -> str:
    """Return how wide the intervals of the ends are; drawn, they would hide the ways."""
    ends = snapshots.sort_values("step").groupby("variant").tail(1)
    half = 50 * (ends[f"{column}_high"] - ends[f"{column}_low"]).mean()
    return f"\N{PLUS-MINUS SIGN}{half:.2g}"


def view(values: pd.Series, most: float) -> tuple[float, float]:
    """Return the limits of an axis that shows every value, inside 0 and `most`."""
    margin = 0.08 * (values.max() - values.min()) or 0.05 * abs(values.max()) or 0.05
    return max(0, values.min() - margin), min(most, values.max() + margin)


def draw(snapshots: pd.DataFrame) -> Figure:
    """Return the figure for ``<study>_snapshots.csv``."""
    labels = labels_of(snapshots)
    styles = styles_for(labels)
    figure, axes = plt.subplots(1, 2, figsize=(9.5, 4.2), layout="constrained")
    start = dot(METHODS["base"]) | {"markersize": 7, "markeredgewidth": 2, "zorder": 5}
    for axis, (column, title) in zip(axes, PANELS.items(), strict=True):
        for variant, look in styles.items():
            rows = snapshots[snapshots.variant == variant].sort_values("step")
            draw_path(axis, rows, column, look)
        for place in {(row.entropy, getattr(row, column)) for row in first(snapshots).itertuples()}:
            axis.plot(place[0], 100 * place[1], **start)
        axis.set(xlim=view(snapshots.entropy, np.inf), ylim=view(100 * snapshots[column], 100))
        axis.set_xlabel("Entropy (nats a token)")
        name = title.format(snapshots.samples.iloc[0])
        axis.set_title(f"{name}; intervals at the ends about {typical(snapshots, column)}")
    last = snapshots.groupby("variant").step.transform("max")
    between = snapshots.step[(snapshots.step > 0) & (snapshots.step < last)]
    steps = ", ".join(map(str, sorted(between.unique())))
    extra = [
        Line2D([], [], label="Base policy", **start),
        Line2D([], [], color="0.3", marker=".", linestyle="none", label=f"after steps {steps}"),
    ]
    legend(figure, labels, styles, extra)
    return figure


def first(snapshots: pd.DataFrame) -> pd.DataFrame:
    """Return where the variants start: the rows of the base policy."""
    return snapshots[snapshots.step == 0]


def main() -> None:
    options = arguments(__doc__)
    snapshots = read_table(options.tables / f"{options.study}_snapshots.csv", COLUMNS)
    apply_style()
    save(draw(snapshots), options.output, "training_path")


if __name__ == "__main__":
    main()
