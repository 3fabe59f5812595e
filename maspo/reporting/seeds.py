"""Means over the seeds that have a value, as cells of a table."""

import numpy as np
from numpy.typing import ArrayLike

from maspo.statistics import seed_mean


def over_seeds(
    values: ArrayLike, level: float, least: float = -np.inf, most: float = np.inf
) -> tuple[float, float, float]:
    """Return mean, low and high of one value a seed, (S,): Student's t interval, cut to a range.

    Seeds whose value is NaN are left out; without any all three are NaN, with one the bounds are.
    """
    values = np.asarray(values, dtype=float)
    values = values[~np.isnan(values)]
    if not values.size:
        return np.nan, np.nan, np.nan
    mean, low, high = map(float, seed_mean(values, level))
    return mean, float(np.clip(low, least, most)), float(np.clip(high, least, most))


def cells(name: str, bounds: tuple[float, float, float]) -> dict[str, float]:
    """Return mean, low and high as the columns ``name``, ``name_low`` and ``name_high``."""
    return dict(zip(columns(name), bounds, strict=True))


def columns(*names: str) -> list[str]:
    """Return the names of the columns that `cells` gives for each name."""
    return [name + end for name in names for end in ("", "_low", "_high")]
