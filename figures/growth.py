"""How time and memory of the RL step grow with each of its sizes, with the fitted exponents.

    python figures/growth.py --output DIR [--benchmark FILE]

Reads a result of `python -m benchmarks growth` (the last stored one, if no file is named) and
writes growth.pdf and growth.png.
"""

import argparse
import json
from pathlib import Path

import matplotlib.pyplot as plt

from style import apply_style, save

STORED = Path(__file__).resolve().parents[1] / "benchmarks" / "results"
TITLES = {
    "prompts": "prompts",
    "group": "group size",
    "length": "completion length (tokens)",
    "vocabulary": "vocabulary",
}
ROWS = {"seconds": "CPU seconds a step", "memory_mib": "peak of a step (MiB)"}
LOOKS = {
    "seconds": {"color": "#0072B2", "marker": "o"},
    "memory_mib": {"color": "#D55E00", "marker": "s"},
}
EXPONENTS = {"seconds": "time_exponent", "memory_mib": "memory_exponent"}


def last_stored() -> Path:
    """Return the newest stored result that holds the growth benchmark in full."""
    for path in sorted(STORED.glob("*.json"), reverse=True):
        result = json.loads(path.read_text())
        if "growth" in result["benchmarks"] and not result["quick"]:
            return path
    raise SystemExit(f"error: {STORED} holds no growth benchmark: run python -m benchmarks growth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, required=True, help="folder for the figure")
    parser.add_argument("--benchmark", type=Path, help="JSON of python -m benchmarks growth")
    options = parser.parse_args()
    result = json.loads((options.benchmark or last_stored()).read_text())
    axes = result["benchmarks"]["growth"]["details"]["axes"]
    apply_style()
    figure, panels = plt.subplots(
        len(ROWS), len(axes), figsize=(8, 4), sharey="row", layout="constrained"
    )
    for column, (name, found) in enumerate(axes.items()):
        sizes = found["drawn_length"] if name == "length" else found["points"]
        for panel, (row, label) in zip(panels[:, column], ROWS.items(), strict=True):
            panel.loglog(sizes, found[row], **LOOKS[row])
            panel.set_xticks(sizes, [f"{size:.0f}" for size in sizes])
            panel.minorticks_off()
            panel.set_title(f"exponent {found[EXPONENTS[row]]:.2f}", fontsize=9)
            if column == 0:
                panel.set_ylabel(label)
        panels[-1, column].set_xlabel(TITLES[name])
    save(figure, options.output, "growth")


if __name__ == "__main__":
    main()
