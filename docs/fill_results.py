"""Put measured results into the documentation: nothing is copied by hand.

    python docs/fill_results.py [--reference reference/mini]

Replaces what stands between ``<!-- results: NAME -->`` and ``<!-- end of results -->`` in README.md
and docs/. NAME is a variant, for its row beside the base policy, or a Markdown file of the
reference: ``main.md``, ``first table of claims.md``, or ``summary of main``. Of several studies
with a variant the one with the most seeds is taken. Names that the reference does not hold are left
as they are.
"""

import argparse
import re
from collections.abc import Sequence
from itertools import takewhile
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
BLOCK = re.compile(
    r"(<!-- results: (?P<name>[\w .@]+) -->\n)(.*?<!-- end of results -->\n)?", re.DOTALL
)
SCORES = {"avg": "Avg@32", "pass": "Pass@32"}
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


def percent(numbers: Sequence[float], sign: str) -> str:
    """Return a value with the bounds of its interval."""
    value, low, high = (f"{100 * number:{sign}.1f}" for number in numbers)
    return f"{value} [{low}, {high}]".replace("-", "\N{MINUS SIGN}")


def summary(study: str, reference: Path) -> str:
    """Return the average of each method of a study, and how far it is from the first: a table."""
    tables = reference / "tables"
    scores, pairs = (pd.read_csv(tables / f"{study}{end}.csv") for end in ("", "_comparisons"))
    scores = scores[scores.benchmark == "average"]
    first = scores.label.iloc[1]  # behind the base policy
    pairs = pairs[(pairs.benchmark == "average") & (pairs.reference_label == first)]
    pairs = pairs.set_index(["method", "metric"])[["difference", "low", "high"]]
    lines = [["Method"], ["---", *["---:"] * 2 * len(SCORES)]]
    for name in SCORES.values():
        lines[0] += [name, f"minus {first}"]
    for row in scores.itertuples():
        lines.append([row.label])
        for metric in SCORES:
            value = [getattr(row, f"{metric}_at_k{end}") for end in ("", "_low", "_high")]
            compared = (row.variant, metric) in pairs.index
            lines[-1] += [
                percent(value, ""),
                percent(pairs.loc[row.variant, metric], "+") if compared else "",
            ]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines) + "\n"


def text(name: str, reference: Path) -> str | None:
    """Return what stands under a name, if the reference has it."""
    if name.startswith("summary of "):
        return summary(name.removeprefix("summary of "), reference)
    if name.startswith("first table of "):
        lines = text(name.removeprefix("first table of "), reference).splitlines(keepends=True)
        start = next(i for i, line in enumerate(lines) if line.startswith("|"))
        table = takewhile(lambda line: line.startswith("|"), lines[start:])
        return "\n" + "".join(table) + "\n"
    for path in (reference / "tables" / name, reference / name):
        if path.is_file():
            return f"\n{path.read_text()}\n"
    tables = [pd.read_csv(path) for path in sorted((reference / "tables").glob("*.csv"))]
    found = [
        scores
        for scores in tables
        if {"avg_at_k", "seeds"} <= {*scores} and name in {*scores.get("variant", ())}
    ]
    if not found:
        return None
    most = max(found, key=lambda scores: scores[scores.variant == name].seeds.iloc[0])
    return row(most, name, reference.name)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", type=Path, default=ROOT / "reference" / "mini")
    reference = parser.parse_args().reference
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        page.write_text(BLOCK.sub(lambda match: fill(match, reference), page.read_text()))


def fill(match: re.Match, reference: Path) -> str:
    """Return a block with its contents renewed."""
    contents = text(match["name"], reference)
    return match[0] if contents is None else match[1] + contents + END


if __name__ == "__main__":
    main()
