"""The claims: effect, interval and verdict of each, by unit."""

import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from results import arguments, read_claims
from style import BLACK, BLUE, GREY, RED, apply_style, save

FIELDS = ["id", "statement", "verdict", "effect", "low", "high", "unit"]
VERDICTS = {
    "supported": {"color": BLUE, "marker": "o"},
    "contradicted": {"color": RED, "marker": "X"},
    "inconclusive": {"color": GREY, "marker": "D"},
    "not tested": {"color": BLACK, "marker": "_"},
}


def by_unit(claims: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the claims of each unit, those without an effect under ""."""
    effect = pd.to_numeric(claims.effect)
    unit = claims.unit.fillna("").where(effect.notna(), "")
    tested = dict(list(claims[unit != ""].groupby(unit, sort=False)))
    return tested | ({"": claims[unit == ""]} if (unit == "").any() else {})


def draw(claims: pd.DataFrame) -> Figure:
    """Return the figure for ``claims.json``: a panel a unit, a row a claim."""
    groups = by_unit(claims)
    heights = [len(group) + 1.2 for group in groups.values()]
    figure, axes = plt.subplots(
        len(groups),
        1,
        figsize=(9.5, 0.42 * sum(heights) + 0.8),
        height_ratios=heights,
        squeeze=False,
        layout="constrained",
    )
    for axis, (unit, group) in zip(axes[:, 0], groups.items(), strict=True):
        for position, claim in enumerate(group.itertuples()):
            look = VERDICTS[claim.verdict]
            if unit:
                axis.hlines(position, claim.low, claim.high, color=look["color"], linewidth=1.3)
                axis.plot(claim.effect, position, markersize=6, **look)
            place = {"transform": axis.get_yaxis_transform(), "va": "center", "fontsize": 8}
            axis.text(1.02, position, claim.verdict, color=look["color"], **place)
        if unit:
            axis.axvline(0, color="0.3", linewidth=0.8, zorder=0)
            axis.set_xlabel(unit, fontsize=8)
        else:
            axis.set_xticks([])
            axis.spines[["bottom", "left"]].set_visible(False)
        texts = [textwrap.fill(text, 58) for text in group.statement]
        axis.set_yticks(range(len(group)), texts, fontsize=8)
        axis.set_ylim(len(group) - 0.4, -0.6)
        axis.grid(axis="y", visible=False)
        axis.tick_params(axis="y", length=0)
    handles = [
        Line2D([], [], linestyle="none", label=verdict, **look)
        for verdict, look in VERDICTS.items()
        if (claims.verdict == verdict).any()
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(handles))
    return figure


def main() -> None:
    options = arguments(__doc__, study=None)
    claims = read_claims(options.tables.parent / "claims.json", FIELDS)
    apply_style()
    save(draw(claims), options.output, "claims")


if __name__ == "__main__":
    main()
