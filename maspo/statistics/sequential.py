"""Looking at paired differences several times, with an interval that holds at all looks together.

Whoever looks again after each new seed, each time with a 95 % interval, is wrong far more often
than in one case of twenty. Here every look has the same smaller chance of error, the one with which
all looks together err in 5 % of all studies (Pocock, Biometrika 64, 1977; here of t statistics).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t

from maspo.errors import ConfigError
from maspo.seeding import numpy_generator

LOOKS = (3, 4, 6, 8, 11, 15)  # pairs that have been seen at each look
STUDIES = 100_000  # simulated, to find the chance of error of a look


@dataclass(frozen=True)
class Look:
    """What n paired differences say; the unit of `mean`, `low` and `high` is theirs."""

    pairs: int
    mean: float
    low: float
    high: float

    def verdict(self, margin: float) -> str:
        """Return better, worse, negligible (all within the margin either side of 0) or open."""
        if -margin <= self.low and self.high <= margin:
            return "negligible"
        if self.low > 0:
            return "better"
        return "worse" if self.high < 0 else "open"


@cache
def error_of_a_look(looks: tuple[int, ...] = LOOKS, level: float = 0.95) -> float:
    """Return the two-sided chance of error of each look with which all together have 1 - level.

    It is exact, up to the simulation, for independent differences of a normal distribution,
    whatever their mean and spread.

    Raises:
        ConfigError: looks that do not rise, or begin below two pairs.
    """
    if list(looks) != sorted(set(looks)) or looks[0] < 2:
        raise ConfigError(f"looks={list(looks)}: numbers of pairs must rise, from 2 or more")
    draws = numpy_generator(0, "sequential", *looks).standard_normal((STUDIES, looks[-1]))
    smallest = np.ones(STUDIES)
    for pairs in looks:
        seen = draws[:, :pairs]
        statistic = seen.mean(1) * np.sqrt(pairs) / seen.std(1, ddof=1)
        smallest = np.minimum(smallest, 2 * t.sf(np.abs(statistic), pairs - 1))
    return float(np.quantile(smallest, 1 - level))


def look(differences: ArrayLike, looks: Sequence[int] = LOOKS, level: float = 0.95) -> Look:
    """Return the mean of paired differences, (n,), with its interval at this look.

    With probability `level` the intervals of all looks hold the true difference.

    Raises:
        ConfigError: n is none of `looks`.
    """
    values = np.asarray(differences, dtype=float)
    if len(values) not in looks:
        raise ConfigError(f"{len(values)} pairs: the looks are planned at {list(looks)}")
    quantile = t.ppf(1 - error_of_a_look(tuple(looks), level) / 2, len(values) - 1)
    mean = float(values.mean())
    half = float(quantile * values.std(ddof=1) / np.sqrt(len(values)))
    return Look(len(values), mean, mean - half, mean + half)
