"""Coverage of the 95 % intervals, simulated: `python benchmarks/coverage.py [--studies 2000]`.

Prints the Markdown table of docs/statistics.md. Each row is one design of 6 benchmarks with 40
problems and 32 samples; a cell holds the lowest and highest coverage of a benchmark (in the last
column of those with a truth above 0.98, else of the others) and that of the average.
"""

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests" / "unit" / "statistics")]

from simulation import (  # noqa: E402
    CEILING,
    METRICS,
    MIXES,
    SPREAD,
    coverage,
    ordinary,
    paired_coverage,
)

from maspo.statistics import Settings  # noqa: E402


def cell(rates, chosen):
    """Return a cell of the table, in percent."""
    some = 100 * rates[:-1][chosen]
    return f"{some.min():.1f} to {some.max():.1f}; {100 * rates[-1]:.1f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=2000, help="simulated studies a design")
    parser.add_argument("--draws", type=int, default=9999)
    parser.add_argument("--seeds", type=int, nargs="+", default=[2, 3, 5])
    arguments = parser.parse_args()
    settings = Settings(draws=arguments.draws, level=0.95, seed=0)
    names = [*METRICS, *(f"{metric}, difference" for metric in METRICS)]
    names.append("pass@8, truth above 0.98")
    print("| seeds | variance from | " + " | ".join(names) + " |")
    print("|---|---|" + "---|" * len(names))
    for seeds in arguments.seeds:
        for name, mix in MIXES.items():
            design = (settings, arguments.studies)
            cells = []
            for measure in (coverage, paired_coverage):
                for k in METRICS.values():
                    rates = measure(seeds, mix, k, *design, SPREAD)
                    cells.append(cell(rates, ordinary(SPREAD, mix, k)))
            rates = coverage(seeds, mix, 8, *design, CEILING)
            cells.append(cell(rates, ~ordinary(CEILING, mix, 8)))
            print(f"| {seeds} | {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
