"""One look for every figure: sizes, colours that colour-blind readers can tell apart, saving."""

import re
from collections.abc import Iterable
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

Look = dict[str, Any]
NUMBER = re.compile(r"_([0-9][0-9.e+-]*)$")  # at the end of an objective's name

# Okabe and Ito's palette; line styles and markers differ too, so that grey prints can be read.
# SAPO and MASPO, drawn side by side, are the same grey: a small plus and a star would look alike.
BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
BLUE, RED, PINK, GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
LEGEND_ROW = 0.19  # inches
RECOMMENDED = {"color": "#BFBFBF", "alpha": 0.5, "linewidth": 0}  # what the paper recommends
METHODS: dict[str, Look] = {  # the same look in every figure of every study
    "base": {"color": GREY, "linestyle": ":", "marker": "x"},
    "grpo": {"color": BLACK, "linestyle": "--", "marker": "o"},
    "clip_higher": {"color": ORANGE, "linestyle": "-.", "marker": "s"},
    "dac": {"color": GREEN, "linestyle": (0, (5, 1, 1, 1)), "marker": "^"},
    "entropy_adv": {"color": PINK, "linestyle": (0, (3, 1)), "marker": "v"},
    "bapo": {"color": SKY, "linestyle": (0, (1, 1)), "marker": "D"},
    "sapo": {"color": BLUE, "linestyle": (0, (6, 2)), "marker": "<"},
    "maspo": {"color": RED, "linestyle": "-", "marker": "*"},
    # Parts and relatives are lighter and darker tones of the palette.
    "sapo_unilateral": {"color": "#66A8D1", "linestyle": "-", "marker": "p"},
    "maspo_no_mass": {"color": "#7A3B00", "linestyle": "--", "marker": "P"},
    "maspo_no_risk": {"color": "#B59B00", "linestyle": "-.", "marker": ">"},
    "gaussian_only": {"color": "#8A6FB0", "linestyle": (0, (3, 1)), "marker": "h"},
    "maspo_bilateral": {"color": "#4D9A8A", "linestyle": (0, (1, 1)), "marker": "d"},
    "maspo_attached_gate": {"color": "#6B6B2A", "linestyle": (0, (6, 2)), "marker": "8"},
    "maspo_paper": {"color": "#E58A7B", "linestyle": ":", "marker": "X"},
    "gate": {"color": "#B03A6E", "linestyle": (0, (5, 1, 1, 1)), "marker": "^"},
    "cispo": {"color": "#7F7F00", "linestyle": "--", "marker": "P"},
    "gspo": {"color": "#7D4E9E", "linestyle": "-.", "marker": ">"},
    "dgpo": {"color": "#3D6B35", "linestyle": (0, (3, 1)), "marker": "h"},
    "dr_grpo": {"color": "#5A5A5A", "linestyle": (0, (1, 1)), "marker": "d"},
}
OTHERS: list[Look] = [  # objectives that are not of this package
    {"color": color, "linestyle": linestyle, "marker": marker}
    for color, linestyle, marker in zip(
        [BLUE, ORANGE, GREEN, PINK, SKY, BLACK, GREY, RED],
        ["--", "-.", (0, (5, 1, 1, 1)), (0, (3, 1)), (0, (1, 1)), ":", (0, (6, 2)), "-"],
        ["s", "o", "^", "v", "D", "P", "X", "h"],
        strict=True,
    )
]
# Values of one setting (maspo_alpha_0.5) lie on a scale of its own, from light to dark.
SCALE, LIGHTEST, DARKEST = "viridis_r", 0.15, 0.95
VALUE_LINES = ["--", "-.", (0, (5, 1, 1, 1)), (0, (3, 1)), (0, (1, 1)), (0, (6, 2))]
VALUE_MARKERS = ["s", "^", "D", "v", "P", "X", "h"]
# A method trained with other settings (maspo@lr_1e-4) keeps its colour and the form of its marker.
RETRAINED: list[Look] = [
    {"linestyle": (0, (1, 2)), "fillstyle": "none"},
    {"linestyle": (0, (8, 2, 1, 2)), "fillstyle": "left"},
    {"linestyle": (0, (2, 4)), "fillstyle": "bottom"},
    {"linestyle": (0, (10, 4)), "fillstyle": "right"},
    {"linestyle": (0, (4, 2, 1, 2, 1, 2)), "fillstyle": "top"},
]


def apply_style() -> None:
    """Set matplotlib's defaults for this project, whatever a matplotlibrc of this machine says."""
    plt.rcdefaults()
    plt.rcParams.update(
        {
            "figure.dpi": 150,
            "savefig.dpi": 150,
            "font.size": 9,
            "axes.titlesize": 9,
            "axes.titlelocation": "left",
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.4,
            "lines.markersize": 5,
            "legend.frameon": False,
            "pdf.fonttype": 42,
        }
    )


def styles_for(variants: Iterable[str]) -> dict[str, Look]:
    """Return a look for each variant: a method's own, a value's on its scale, and others in turn.

    Others first take the colours that no named method of the figure has.
    """
    variants = list(variants)
    objectives = list(dict.fromkeys(variant.partition("@")[0] for variant in variants))
    used = {METHODS[name]["color"] for name in objectives if name in METHODS}
    others = cycle(sorted(OTHERS, key=lambda look: look["color"] in used))
    known = METHODS | scale_of([name for name in objectives if name not in METHODS])
    looks = {name: known.get(name) or next(others) for name in objectives}
    styles, retrained = {}, dict.fromkeys(objectives, 0)
    for variant in variants:
        name, _, settings = variant.partition("@")
        styles[variant] = looks[name]
        if settings:
            styles[variant] = looks[name] | RETRAINED[retrained[name] % len(RETRAINED)]
            retrained[name] += 1
    return styles


def scale_of(objectives: Iterable[str]) -> dict[str, Look]:
    """Return looks for the objectives that are a method with a changed number, by its size."""
    values = {name: float(match[1]) for name in objectives if (match := NUMBER.search(name))}
    order = sorted(values, key=values.__getitem__)
    colors = matplotlib.colormaps[SCALE](np.linspace(LIGHTEST, DARKEST, len(order)))
    marks = zip(cycle(VALUE_LINES), cycle(VALUE_MARKERS), strict=False)
    return {
        name: {"color": to_hex(color), "linestyle": line, "marker": marker}
        for name, color, (line, marker) in zip(order, colors, marks, strict=False)
    }


def line(look: Look) -> Look:
    """Return the part of a look that a line without markers takes."""
    return {key: look[key] for key in ("color", "linestyle")}


def dot(look: Look) -> Look:
    """Return the part of a look that a marker without a line takes."""
    chosen = {key: look[key] for key in ("color", "marker", "fillstyle") if key in look}
    return chosen | {"linestyle": "none"}


def dots(styles: dict[str, Look]) -> dict[str, Look]:
    """Return the looks of a figure that draws markers without lines."""
    return {name: dot(look) for name, look in styles.items()}


def dodge(styles: dict[str, Look], width: float) -> dict[str, float]:
    """Return how far each variant stands from the middle, so that intervals lie side by side."""
    middle = (len(styles) - 1) / 2
    return {name: (i - middle) * width / len(styles) for i, name in enumerate(styles)}


def legend(
    figure: Figure, labels: dict[str, str], styles: dict[str, Look], extra: Iterable[Line2D] = ()
) -> None:
    """Put one legend of the variants, and of `extra` handles, below the panels.

    In as many columns as fit; more than two rows make the figure higher, not the panels lower.
    """
    handles = [Line2D([], [], label=label, **styles[name]) for name, label in labels.items()]
    handles.extend(extra)
    rows = -(-sum(len(str(handle.get_label())) + 7 for handle in handles) // 110)
    for columns in range(-(-len(handles) // rows), 0, -1):
        place: Look = {"loc": "outside lower center", "handlelength": 3.2}
        box = figure.legend(handles=handles, ncols=columns, **place)
        if columns == 1 or box.get_window_extent().width < 0.99 * figure.bbox.width:
            break
        box.remove()
    beyond = max(-(-len(handles) // columns) - 2, 0)
    figure.set_figheight(figure.get_figheight() + beyond * LEGEND_ROW)


def save(figure: Figure, folder: Path | str, name: str) -> None:
    """Write ``name.pdf`` and ``name.png``, without dates, so that equal data give equal bytes.

    All that is drawn has its place inside the figure, so no tight box is looked for.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    settle(figure)
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
    figure.savefig(folder / f"{name}.png", metadata={"Software": None})
    plt.close(figure)


def settle(figure: Figure) -> None:
    """Lay the panels out for good, at rounded places.

    The last bits of what the constrained layout's solver gives differ from process to process, and
    with them now and then the last digit of a number in a PDF.
    """
    figure.get_layout_engine().execute(figure)
    figure.set_layout_engine(None)
    for axes in figure.axes:
        axes.set_position([round(side, 6) for side in axes.get_position(original=True).bounds])
