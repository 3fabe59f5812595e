"""Stability: scores against learning rate, staleness and width of the gate; collapsed runs."""

import re
import sys

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from reading import arguments, read_table
from style import Look, apply_style, dodge, dot, dots, legend, save, styles_for

FACTORS = {
    "lr": "Learning rate",
    "updates_per_batch": "Updates on one rollout batch",
    "sigma_base": "sigma_base of MASPO",
}
MEASURES = {  # column: (title, factor from the column to what is drawn, what is possible)
    "avg_at_k": ("Mean accuracy (%)", 100, (0, 100)),
    "final_reward": ("Reward at the end", 1, (0, 1)),
    "final_entropy": ("Entropy at the end (nats)", 1, (0, None)),
}
COLUMNS = ["variant", "label", "objective", "factor", "value", "seeds", "collapsed"] + [
    column + end for column in MEASURES for end in ("", "_low", "_high")
]
SETTING = r"_sigma_base_[^_]+$"  # a changed width is a factor here, no method of its own
RING = {"linestyle": "none", "marker": "o", "mfc": "none", "mec": "black", "ms": 10}
WIDE = 0.7  # of the way from one value to the next, over which the methods stand side by side


def of_factor(stability: pd.DataFrame, factor: str) -> pd.DataFrame:
    """Return the rows of one factor in the order of its values, `place` counting these.

    Numbers are ordered as numbers and spelled shortly (`value` 1e-5), names by the alphabet.
    """
    rows = stability[stability.factor == factor]
    numbers = pd.to_numeric(rows.value, errors="coerce")
    order = numbers if numbers.notna().all() else rows.value.astype(str)
    names = rows.value.map(spelled) if numbers.notna().all() else order
    rows = rows.assign(value=names, place=order.rank(method="dense").astype(int) - 1)
    return rows.sort_values("place", kind="stable")


def spelled(value: float | str) -> str:
    """Return a short spelling of a number: 1e-05 is 1e-5."""
    number = float(value)
    return re.sub(r"e([+-])0", r"e\1", f"{number:.0e}" if number < 0.01 else f"{number:g}")


def draw_panel(axis: Axes, rows: pd.DataFrame, column: str, styles: dict[str, Look]) -> None:
    """Draw a measure against the factor; a ring counts the seeds that collapsed.

    Intervals are cut where a measure ends: those of two seeds reach far beyond.
    """
    _, scale, possible = MEASURES[column]
    for family, aside in dodge(styles, WIDE).items():
        look = dot(styles[family])
        own = rows[rows.family == family]
        place = own.place + aside
        low, high = ((scale * own[f"{column}_{end}"]).clip(*possible) for end in ("low", "high"))
        axis.vlines(place, low, high, color=look["color"], linewidth=1.2)
        axis.plot(place, scale * own[column], **look)
        for x, row in zip(place, own.itertuples(), strict=True):
            if row.collapsed:
                y = scale * getattr(row, column)
                axis.plot(x, y, **RING)
                text = f"{row.collapsed:g}/{row.seeds:g}"
                above = {"xytext": (0, 8), "textcoords": "offset points", "ha": "center"}
                axis.annotate(text, (x, y), fontsize=6.5, rotation=90, va="bottom", **above)
    ticks = rows.drop_duplicates("place")
    axis.set_xticks(ticks.place, ticks.value)
    axis.set_xlim(-0.5, len(ticks) - 0.5)
    axis.margins(y=0.1)
    axis.set_ylim(bottom=max(axis.get_ylim()[0], possible[0]))
    axis.grid(axis="x", visible=False)


def draw(stability: pd.DataFrame) -> Figure:
    """Return the figure for ``stability.csv``: a row a factor, a column a measure."""
    rows = stability.assign(family=stability.objective.str.replace(SETTING, "", regex=True))
    factors = [factor for factor in FACTORS if (rows.factor == factor).any()]
    first = rows.drop_duplicates("family").set_index("family")
    labels = first.label.str.partition(",")[0].to_dict()
    styles = styles_for(labels)
    size = (9, 2.4 * len(factors) + 0.5)
    figure, axes = plt.subplots(
        len(factors), len(MEASURES), figsize=size, squeeze=False, layout="constrained"
    )
    for line, factor in zip(axes, factors, strict=True):
        for axis, (column, (title, *_)) in zip(line, MEASURES.items(), strict=True):
            draw_panel(axis, of_factor(rows, factor), column, styles)
            axis.set(title=title, xlabel=FACTORS[factor])
    legend(figure, labels, dots(styles), [Line2D([], [], label="collapsed seeds / seeds", **RING)])
    return figure


def main() -> None:
    options = arguments(__doc__, study=None)
    path = options.tables / "stability.csv"
    stability = read_table(path, COLUMNS)
    if not stability.factor.isin(list(FACTORS)).any():
        sys.exit(f"error: {path} has no row whose factor is one of {', '.join(FACTORS)}")
    apply_style()
    save(draw(stability), options.output, "stability")


if __name__ == "__main__":
    main()
