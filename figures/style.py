"""One look for every figure: sizes, colours that colour-blind readers can tell apart, saving."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# Okabe and Ito's palette; line styles and markers differ too, so that grey prints can be read.
_BLACK, _ORANGE, _SKY, _GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
_BLUE, _RED, _PINK, _GREY = "#0072B2", "#D55E00", "#CC79A7", "#8C8C8C"
METHOD_STYLES = {
    "base": {"color": _GREY, "linestyle": ":", "marker": "x"},
    "grpo": {"color": _BLACK, "linestyle": "--", "marker": "o"},
    "clip_higher": {"color": _ORANGE, "linestyle": "-.", "marker": "s"},
    "dac": {"color": _GREEN, "linestyle": (0, (5, 1, 1, 1)), "marker": "^"},
    "entropy_adv": {"color": _PINK, "linestyle": (0, (3, 1)), "marker": "v"},
    "bapo": {"color": _SKY, "linestyle": (0, (1, 1)), "marker": "D"},
    "sapo": {"color": _BLUE, "linestyle": (0, (6, 2)), "marker": "P"},
    "maspo": {"color": _RED, "linestyle": "-", "marker": "*"},
}
_CYCLE = [
    {"color": color, "linestyle": linestyle, "marker": marker}
    for color, linestyle, marker in zip(
        [_BLUE, _ORANGE, _GREEN, _PINK, _SKY, _BLACK, _RED, _GREY],
        ["--", "-.", (0, (5, 1, 1, 1)), (0, (3, 1)), (0, (1, 1)), ":", "-", (0, (6, 2))],
        "so^vDPx*",
        strict=True,
    )
]


def apply_style() -> None:
    """Set matplotlib's defaults for this project."""
    plt.rcParams.update(
        {
            "figure.dpi": 100,
            "savefig.dpi": 200,
            "font.size": 9,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.grid": True,
            "grid.alpha": 0.3,
            "grid.linewidth": 0.6,
            "lines.linewidth": 1.5,
            "legend.frameon": False,
            "pdf.fonttype": 42,
        }
    )


def styles_for(variants: list[str]) -> dict[str, dict]:
    """Return a style for each variant: a method's own, and others in turn."""
    others = [variant for variant in variants if variant not in METHOD_STYLES]
    cycle = {variant: _CYCLE[i % len(_CYCLE)] for i, variant in enumerate(others)}
    return {variant: METHOD_STYLES.get(variant) or cycle[variant] for variant in variants}


def save(figure: Figure, folder: Path | str, name: str) -> None:
    """Write ``name.pdf`` and ``name.png``, without dates, so that equal data give equal bytes."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.pdf", bbox_inches="tight", metadata={"CreationDate": None})
    figure.savefig(folder / f"{name}.png", bbox_inches="tight", metadata={"Software": None})
    plt.close(figure)
