"""Put measured results into the documentation: nothing is copied by hand.

    python docs/fill_results.py --results results/mini [--sweep main ...]

Replaces what stands between ``<!-- results: NAME -->`` and ``<!-- end of results -->`` in README.md
and docs/methods/*.md: for a variant its row of results, for ``table SWEEP`` the whole table. Names
that the given sweeps do not hold are left as they are.
"""

import argparse
import re
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"(<!-- results: (?P<name>[\w .]+) -->\n)(.*?<!-- end of results -->\n)?", re.DOTALL
)
END = "<!-- end of results -->\n"


def row(scores: pd.DataFrame, variant: str, scale: str) -> str:
    """Return one variant beside the base policy, in percent, as a Markdown table."""
    benchmarks = list(scores.benchmark.unique())
    lines = [
        ["scale", "policy", "seeds", *benchmarks],
        ["---"] * 2 + ["---:"] * (len(benchmarks) + 1),
    ]
    for name in ("base", variant):
        cells = scores[scores.variant == name].set_index("benchmark")
        values = [
            f"{100 * cells.avg_at_k[b]:.1f} / {100 * cells.pass_at_k[b]:.1f}" for b in benchmarks
        ]
        lines.append([scale, cells.label.iloc[0], str(cells.seeds.iloc[0]), *values])
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"\nAvg@32 / Pass@32 in percent, means over seeds:\n\n{table}\n"


def contents(results: Path, sweeps: list[str]) -> dict[str, str]:
    """Return what stands under each name."""
    texts = {}
    for sweep in sweeps:
        scores = pd.read_csv(results / "tables" / f"{sweep}.csv")
        texts[f"table {sweep}"] = "\n" + (results / "tables" / f"{sweep}.md").read_text() + "\n"
        for variant in scores.variant.unique():
            texts.setdefault(variant, row(scores, variant, results.name))
    return texts


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=ROOT / "results" / "mini")
    parser.add_argument("--sweep", nargs="+", default=["main"])
    options = parser.parse_args()
    texts = contents(options.results, options.sweep)

    def fill(match: re.Match) -> str:
        text = texts.get(match["name"])
        return match[0] if text is None else match[1] + text + END

    for page in [ROOT / "README.md", *sorted((ROOT / "docs" / "methods").glob("*.md"))]:
        page.write_text(BLOCK.sub(fill, page.read_text()))


if __name__ == "__main__":
    main()
