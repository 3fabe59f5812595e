"""What a wanted precision costs: `python -m maspo.statistics RECORDS... --half-width 0.01`.

RECORDS are the evaluations of one variant: its folder (results/mini/evaluation/maspo), folders of
single seeds, or records.parquet files. With --reference the precision is that of the paired
difference between the two variants.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from maspo.errors import DataError, MaspoError
from maspo.evaluation.records import read_records
from maspo.statistics.outcomes import Outcomes, outcomes
from maspo.statistics.planning import plan
from maspo.statistics.variance import PARTS, variance_components

NAMES = {"seed": "seeds", "problem": "problems", "seed_problem": "seeds x problems"}


def find_records(places: Sequence[Path]) -> list[Path]:
    """Return records files: files as they are, of a folder those of its seeds in order."""
    found = []
    for place in places:
        if place.is_file():
            found.append(place)
            continue
        files = list(place.glob("records.parquet")) or list(place.glob("seed_*/records.parquet"))
        if not files:
            raise DataError(
                f"{place}: neither a records file nor a folder of records.parquet or "
                "seed_*/records.parquet; evaluate the variant first"
            )
        found += sorted(files, key=lambda file: (len(file.parent.name), file.parent.name))
    return found


def describe(components: Mapping[str, float]) -> str:
    """Return the variance parts as lines of text."""
    lines = [
        f"measured with {components['seeds']} seeds, {components['problems']} problems, "
        f"{components['samples']} samples",
        f"{'variance from':20}{'std error':>10}{'share':>8}",
    ]
    for part in PARTS:
        variance, share = components[part], components[f"{part}_share"]
        known = f"{variance**0.5:10.4f}{share:8.1%}" if share == share else f"{'unknown':>10}"
        lines.append(f"{NAMES.get(part, part):20}{known}")
    return "\n".join(lines)


def load(places: Sequence[Path]) -> Outcomes:
    """Return the outcomes of one variant from its records."""
    return outcomes([read_records(path) for path in find_records(places)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the variance parts of the average Avg@N and the cheapest plans for a half-width."""
    parser = argparse.ArgumentParser(prog="python -m maspo.statistics", description=__doc__)
    parser.add_argument("records", nargs="+", type=Path)
    parser.add_argument("--reference", nargs="+", type=Path, help="records of another variant")
    parser.add_argument("--half-width", type=float, required=True, help="0.01 is one point")
    parser.add_argument("--level", type=float, default=0.95)
    parser.add_argument("--problems", type=int, help="problems of all benchmarks, if to change")
    parser.add_argument("--same-problems", action="store_true", help="not for new problems")
    options = parser.parse_args(arguments)
    try:
        reference = load(options.reference) if options.reference else None
        components = variance_components(load(options.records), reference)
        print(describe(components))
        table = plan(
            components,
            options.half_width,
            problems=options.problems,
            same_problems=options.same_problems,
            level=options.level,
        )
    except MaspoError as error:
        sys.exit(f"error: {error}")
    if table.empty:
        print(f"no plan of up to 30 seeds and 128 samples reaches {options.half_width}")
        return
    print(f"\nplans for a half-width of {options.half_width}, by completions to evaluate")
    with pd.option_context("display.float_format", "{:.4f}".format):
        print(table.to_string(index=False))


if __name__ == "__main__":
    main()
