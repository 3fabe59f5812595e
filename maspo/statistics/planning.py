"""How many seeds and samples a wanted precision costs."""

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, t

from maspo.errors import ConfigError
from maspo.seeding import numpy_generator
from maspo.statistics.bootstrap import noise_share

STRATA = 10_000  # quantiles of each distribution in `_half_width`


def plan(
    components: Mapping[str, float],
    half_width: float,
    seeds: Sequence[int] = range(2, 31),
    samples: Sequence[int] = (1, 2, 4, 8, 16, 32, 64, 128),
    problems: int | None = None,
    same_problems: bool = False,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the numbers of seeds and samples that reach a half-width, the cheapest first.

    Args:
        components: what `variance_components` returned, of a variant or of a paired difference.
        half_width: wanted, of the interval of the "average" Avg@N; 0.01 is one point.
        seeds: numbers of seeds to consider, each at least 2.
        samples: numbers of samples a problem to consider.
        problems: number of problems of all benchmarks, if it is to change.
        same_problems: ask about these very problems, not about new ones like them.
        level: of the interval.

    Returns:
        For each number of samples the fewest seeds that suffice: columns seeds, samples,
        completions (evaluated: seeds x problems x samples), half_width, and `floor`, the
        half-width that no number of seeds gets below. Empty if nothing considered suffices.

    Raises:
        ConfigError: a half-width that is not positive, fewer than 2 seeds, or components of one
            seed or one sample, which do not tell the parts apart.
    """
    if not half_width > 0:
        raise ConfigError(f"half_width={half_width}: must be positive, as 0.01 for one point")
    if not seeds or min(seeds) < 2 or not samples or min(samples) < 1:
        raise ConfigError(
            f"seeds={list(seeds)}, samples={list(samples)}: at least 2 seeds and 1 sample"
        )
    unknown = [name for name in ("seed", "seed_problem", "decoding") if np.isnan(components[name])]
    if unknown:
        raise ConfigError(
            f"components were measured with seeds={components['seeds']} and samples="
            f"{components['samples']}, which leaves {unknown} unknown: measure with 2 or more"
        )
    measured = components["problems"]
    problems = problems or measured
    scale = measured / problems
    seed = components["seed"] * components["seeds"]  # of one seed
    interaction = components["seed_problem"] * components["seeds"] * scale
    decoding = components["decoding"] * components["seeds"] * components["samples"] * scale
    fixed = 0.0 if same_problems else components["problem"] * scale
    floor = norm.ppf((1 + level) / 2) * np.sqrt(fixed)
    rows = []
    for n in samples:
        for s in sorted(seeds):
            noise = interaction / s + decoding / (s * n)
            seen = seed / s + noise * (1 - noise_share(s))  # as in the bootstrap
            reached = _half_width(np.sqrt(seen), np.sqrt(fixed + noise), s, level)
            if reached <= half_width:
                rows.append((s, n, s * problems * n, reached, floor))
                break
    columns = ["seeds", "samples", "completions", "half_width", "floor"]
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["completions", "seeds"], ignore_index=True)


def _half_width(seed: float, rest: float, seeds: int, level: float) -> float:
    """Return the half-width from two standard errors: the seeds' (t) and all others' (normal)."""
    students, normals = _quantiles(seeds - 1)
    return float(np.quantile(np.abs(seed * students + rest * normals), level))


@lru_cache(maxsize=64)
def _quantiles(df: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return evenly spaced quantiles of Student's t and, shuffled, of the normal distribution."""
    grid = (np.arange(STRATA) + 0.5) / STRATA
    shuffled = numpy_generator("plan").permutation(grid)
    return t.ppf(grid, df), norm.ppf(shuffled)
