"""The claims: effect, interval, bound, margin and verdict of every part of a claim, by unit."""

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from intervals import focus, mark_outside
from reading import arguments, read_claims
from style import BLACK, BLUE, GREEN, GREY, RED, apply_style, save

FIELDS = ["study", "statistic", "above", "below", "margin", "verdict"]
FIELDS += ["effect", "low", "high", "unit"]
NUMBERS = ["value", "low", "high", "bound", "margin"]
LOOKS = {
    "supported": {"color": BLUE, "marker": "o"},
    "contradicted": {"color": RED, "marker": "X"},
    "negligible": {"color": GREEN, "marker": "s"},
    "inconclusive": {"color": GREY, "marker": "D"},
    "not tested": {"color": BLACK, "marker": "_"},
}
UNITS = {  # unit: (title of the axis, factor to what is drawn)
    "fraction": ("Points", 100),
    "share": ("Share of runs (points)", 100),
    "nats": ("Nats", 1),
    "steps": ("Steps", 1),
}
BAND = {"color": "#DEDEDE", "linewidth": 0}  # what is within the margin of the bound
NOT_TESTED = ""  # the unit of what has no effect


def rows_of(claims: list[dict]) -> pd.DataFrame:
    """Return a row a part with an effect, in the unit drawn, and a row a claim without any.

    Columns: text, verdict, unit, value, low, high, bound and margin.
    """
    rows = []
    for claim in claims:
        parts = [part for part in claim["parts"] if part["effect"] is not None]
        for part in parts:
            _, scale = UNITS[part["unit"]]
            bound = part["above"] if part["above"] is not None else part["below"]
            text = claim["statement"]
            if len(claim["parts"]) > 1:
                text += f" ({part['study']}, {part['statistic'].replace('_', ' ')})"
            row = {"text": text, "verdict": part["verdict"], "unit": part["unit"]}
            numbers = {"value": part["effect"], "low": part["low"], "high": part["high"]}
            numbers |= {"bound": bound, "margin": part["margin"]}
            rows.append(
                row | {name: scale * x if x is not None else x for name, x in numbers.items()}
            )
        if not parts:
            row = {"text": claim["statement"], "verdict": claim["verdict"], "unit": NOT_TESTED}
            rows.append(row)
    table = pd.DataFrame(rows, columns=["text", "verdict", "unit", *NUMBERS])
    return table.astype(dict.fromkeys(NUMBERS, float))


def draw_group(axis: Axes, rows: pd.DataFrame) -> None:
    """Draw value and interval of each row, its bound as a stroke and its margin as a band."""
    start, end = focus(rows)
    margin = rows.margin.fillna(0)
    start = min(start, (rows.bound - margin).min())
    end = max(end, (rows.bound + margin).max())
    edge = 0.03 * (end - start)
    limits = start - edge, end + edge
    for position, row in enumerate(rows.itertuples()):
        look = LOOKS[row.verdict]
        axis.barh(position, 2 * row.margin, 0.66, row.bound - row.margin, zorder=0.5, **BAND)
        axis.plot(row.bound, position, "|", color="0.3", markersize=13, zorder=1)
        if limits[0] <= row.value <= limits[1]:
            axis.hlines(position, row.low, row.high, color=look["color"], linewidth=1.3)
            axis.plot(row.value, position, markersize=6, **look)
        else:
            mark_outside(axis, row.value, position, limits, look, True, 1)
    axis.set_xlim(limits)
    axis.set_xlabel(UNITS[rows.unit.iloc[0]][0], fontsize=8)


def draw(claims: list[dict]) -> Figure:
    """Return the figure for the claims of ``claims.json``: a panel a unit, a row a part."""
    rows = rows_of(claims)
    groups = dict(list(rows.groupby("unit", sort=False)))
    if NOT_TESTED in groups:  # last
        groups[NOT_TESTED] = groups.pop(NOT_TESTED)
    heights = [len(group) + (1.3 if name else 0.3) for name, group in groups.items()]
    figure, axes = plt.subplots(
        len(groups),
        1,
        figsize=(9.5, 0.36 * sum(heights) + 0.7),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axis, (name, group) in zip(axes[:, 0], groups.items(), strict=True):
        if name == NOT_TESTED:
            axis.set_xticks([])
            axis.spines[["bottom", "left"]].set_visible(False)
        else:
            draw_group(axis, group)
        for position, verdict in enumerate(group.verdict):
            place = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": 8}
            axis.text(1.02, position, verdict, color=LOOKS[verdict]["color"], **place)
        texts = [textwrap.fill(text, 62) for text in group.text]
        axis.set_yticks(range(len(group)), texts, fontsize=8)
        axis.set_ylim(len(group) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
    drawn = [
        verdict for verdict in LOOKS if (rows.verdict[rows.unit != NOT_TESTED] == verdict).any()
    ]
    handles = [Line2D([], [], linestyle="none", label=name, **LOOKS[name]) for name in drawn]
    bound = {"linestyle": "none", "marker": "|", "color": "0.3", "markersize": 11}
    handles.append(Line2D([], [], label="bound of the claim", **bound))
    if rows.margin.notna().any():
        handles.append(Patch(label="within the margin", **BAND))
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def main() -> None:
    options = arguments(__doc__, study=None)
    claims = read_claims(options.tables.parent / "claims.json", FIELDS)
    apply_style()
    save(draw(claims), options.output, "claims")


if __name__ == "__main__":
    main()
