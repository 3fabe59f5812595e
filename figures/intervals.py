"""Values with their intervals, on an axis that shows differences between the close ones."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from style import Look, dot

FAR = 6  # a value so many times the usual deviation from the median stands outside
WIDER = 3  # ... if with it the axis had to be so many times wider


def focus(
    rows: pd.DataFrame, possible: tuple[float, float] = (-np.inf, np.inf)
) -> tuple[float, float]:
    """Return the limits of an axis on which the intervals of most rows can be told apart.

    `rows` has value, low and high; the axis ends where values are no longer `possible`. A collapsed
    method, or the base policy, would flatten all others to one point: it stays outside, and
    `draw_intervals` marks it at the edge.
    """
    rows = rows.dropna(subset="value")
    low, high = rows.low.fillna(rows.value), rows.high.fillna(rows.value)
    deviation = (rows.value - rows.value.median()).abs()
    usual = max(deviation.median(), ((high - low) / 2).median(), 1e-12)
    inside = deviation <= FAR * usual
    span = high[inside].max() - low[inside].min()
    if high.max() - low.min() <= WIDER * span:
        inside[:] = True
    start, end = low[inside].min(), high[inside].max()
    margin = 0.08 * (end - start) or 0.05 * abs(end) or 1.0
    return max(start - margin, possible[0]), min(end + margin, possible[1])


def draw_intervals(
    axis: Axes,
    rows: pd.DataFrame,
    looks: list[Look],
    *,
    horizontal: bool = True,
    limits: tuple[float, float] | None = None,
    digits: int = 1,
) -> None:
    """Draw a dot with its interval for each row, and an arrow with the number for one outside.

    Args:
        rows: value, low, high (the bounds may be missing), one look each.
        horizontal: values along x, the first row at the top; else along y, from left to right.
        limits: of the axis of values; default: `focus`.
        digits: decimals of a number at the edge.
    """
    start, end = limits or focus(rows)
    for position, (row, look) in enumerate(zip(rows.itertuples(), looks, strict=True)):
        if np.isnan(row.value):
            continue
        if not start <= row.value <= end:
            mark_outside(axis, row.value, position, (start, end), look, horizontal, digits)
            continue
        if not np.isnan(row.low):
            bar = {"color": look["color"], "linewidth": 1.2, "zorder": 2}
            (axis.hlines if horizontal else axis.vlines)(position, row.low, row.high, **bar)
        point = (row.value, position) if horizontal else (position, row.value)
        axis.plot(*point, **dot(look), zorder=3)
    ends = (len(rows) - 0.4, -0.6) if horizontal else (-0.6, len(rows) - 0.4)
    axis.set(
        **dict(
            zip(
                ("xlim", "ylim") if horizontal else ("ylim", "xlim"),
                ((start, end), ends),
                strict=True,
            )
        )
    )
    axis.grid(axis="y" if horizontal else "x", visible=False)


def mark_outside(
    axis: Axes,
    value: float,
    position: float,
    limits: tuple[float, float],
    look: Look,
    horizontal: bool,
    digits: int,
) -> None:
    """Draw an arrow at the edge of an axis, with the value that lies beyond it."""
    below = value < limits[0]
    edge = limits[0] if below else limits[1]
    point = (edge, position) if horizontal else (position, edge)
    marker = {(True, True): "<", (True, False): ">", (False, True): "v", (False, False): "^"}
    axis.plot(
        *point, marker=marker[horizontal, below], color=look["color"], clip_on=False, zorder=4
    )
    inward = 6 if below else -6
    axis.annotate(
        f"{value:.{digits}f}".replace("-", "\N{MINUS SIGN}"),
        point,
        xytext=(inward, 0) if horizontal else (0, inward),
        textcoords="offset points",
        ha="center" if not horizontal else ("left" if below else "right"),
        va="center" if horizontal else ("bottom" if below else "top"),
        rotation=0 if horizontal else 90,
        fontsize=7,
    )
