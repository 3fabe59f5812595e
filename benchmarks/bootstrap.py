"""CPU seconds of the statistics of a full mini study: `python benchmarks/bootstrap.py`.

7 variants with 5 seeds and 27 with 3 (116 runs), 240 problems in six benchmarks, 32 samples;
every estimate, the comparisons of each study, and the variance split of every variant. Outcomes
are simulated. One thread: set OMP_NUM_THREADS=1.
"""

import argparse
import json
import platform
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import pandas as pd

from maspo.statistics import (
    Outcomes,
    Settings,
    comparisons,
    estimates,
    outcomes,
    variance_components,
)
from maspo.statistics.bootstrap import _chi_scales, _counts, _order

BENCHMARKS = tuple(f"terms{length}" for length in range(2, 8) for _ in range(40))
LOGITS = np.repeat([3.0, 2.0, 1.2, 0.6, 0.0, -0.8], 40)


def simulate(generator: np.random.Generator, seeds: int) -> Outcomes:
    logits = LOGITS + generator.normal(0, 1, 240) + generator.normal(0, 0.2, (seeds, 1))
    chance = 1 / (1 + np.exp(-logits))
    return Outcomes(generator.random((seeds, 240, 32)) < chance[..., None], BENCHMARKS)


def records(single: Outcomes) -> list[pd.DataFrame]:
    """Return what `read_records` gives for each seed, as far as the loader reads it."""
    rows = np.indices(single.correct.shape[1:]).reshape(2, -1)
    frame = pd.DataFrame(
        {
            "benchmark": np.array(BENCHMARKS)[rows[0]],
            "problem": np.array([f"p{i:03d}" for i in range(240)])[rows[0]],
            "sample": rows[1],
        }
    )
    return [
        frame.assign(verdict=np.where(correct.ravel(), "correct", "wrong"))
        for correct in single.correct
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=19999)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    settings = Settings(draws=options.draws, level=0.95, seed=0)
    generator = np.random.default_rng(0)
    names = [f"main{i}" for i in range(7)], [f"other{i}" for i in range(27)]
    variants = {name: simulate(generator, 5) for name in names[0]}
    variants |= {name: simulate(generator, 3) for name in names[1]}
    tables = [records(single) for single in variants.values()]
    pairs = [(name, names[0][0]) for name in names[0][1:]]
    pairs += [(names[0][-1], name) for name in names[0][1:-1]]
    pairs += [(name, names[1][0]) for name in names[1][1:]]
    parts = {
        "outcomes": lambda: [outcomes(seeds) for seeds in tables],
        "estimates": lambda: estimates(variants, settings),
        "comparisons": lambda: comparisons(variants, pairs, settings),
        "variance_components": lambda: [variance_components(v) for v in variants.values()],
    }
    seconds: dict[str, list[float]] = {name: [] for name in parts}
    for _ in range(options.repeats):
        for cached in (_chi_scales, _counts, _order):
            cached.cache_clear()  # a process starts without
        for name, part in parts.items():
            start = time.process_time()
            part()
            seconds[name].append(time.process_time() - start)
    result = {name: round(statistics.median(times), 3) for name, times in seconds.items()}
    result["total"] = round(statistics.median(map(sum, zip(*seconds.values(), strict=True))), 3)
    result |= {"runs": 116, "pairs": len(pairs), "draws": options.draws}
    result |= {"repeats": options.repeats, "python": platform.python_version()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
