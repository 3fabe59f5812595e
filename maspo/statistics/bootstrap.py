"""A hierarchical bootstrap whose intervals cover with few seeds: `docs/statistics.md`.

A draw resamples seeds, and problems within each benchmark, with replacement. Three corrections
make its spread that of the estimate:

- Decodings come along with their problem. A problem's mean over seeds already varies by its
  interaction with the seeds and by decoding, so these are taken out of the seeds' effects (as
  far as few seeds can tell them apart) and samples are not drawn again.
- Resampling n units shows (n - 1) / n of their variance: deviations are scaled back.
- A variance estimated from few units is uncertain: each draw also draws the variance, from
  sigma^2 * df / chi^2(df), which gives a mean of n normal units the t interval with n - 1
  degrees of freedom.

Owen (2007), "The pigeonhole bootstrap", on resampling crossed factors; Carpenter, Goldstein and
Rasbash (2003), "A novel bootstrap procedure for assessing the relationship between class size
and achievement", on scaling resampled effects to the estimated variances.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2, norm

from maspo.config.schema import Statistics as Settings
from maspo.seeding import numpy_generator
from maspo.statistics.outcomes import strata

Floats = NDArray[np.float64]
TINY = 1e-12  # in place of a zero that divides


def deviations(
    values: Floats, benchmarks: Sequence[str], settings: Settings, lowest: float = 0.0
) -> Floats:
    """Return draws of (estimate - truth) for each benchmark and for their unweighted average.

    Args:
        values: (S seeds, P problems, K metrics), a metric of the N completions of each cell.
        benchmarks: of length P.
        settings: how many draws, and their seed.
        lowest: the least value possible; the greatest is 1. -1 for differences of metrics.

    Returns:
        (draws, benchmarks + 1, K). With one seed the draws are conditional on that seed.
    """
    seed_count = len(values)
    problems, effects, noise = [], [], []
    for name, index in strata(benchmarks):
        table = values[:, index]
        problems.append(_resample_problems(table.mean(axis=0), lowest, name, settings))
        effects.append(table.mean(axis=1))
        noise.append(residual_mean_square(table) / (seed_count * len(index)))
    size = len(problems)
    problems.append(sum(problems) / size)
    effects.append(sum(effects) / size)
    noise.append(sum(noise) / size**2)
    draws = np.stack(problems, axis=1)
    if seed_count > 1:
        draws += _resample_seeds(np.stack(effects, axis=1), np.stack(noise), settings)
    return draws


def residual_mean_square(table: Floats) -> Floats:
    """Return the mean square of (S, P, K) values after seed and problem means, (K,).

    It estimates the variance of interaction and decoding together; 0 if S or P is 1.
    """
    seeds, problems = table.shape[:2]
    if seeds == 1 or problems == 1:
        return np.zeros(table.shape[2])
    rest = table - table.mean(axis=0) - table.mean(axis=1, keepdims=True) + table.mean(axis=(0, 1))
    return (rest**2).sum(axis=(0, 1)) / ((seeds - 1) * (problems - 1))


def _resample_problems(means: Floats, lowest: float, benchmark: str, settings: Settings) -> Floats:
    """Return draws (draws, K) of the error that the choice of problems and decoding make.

    A few problems can hold most of the variance (everyone solves all others). The kurtosis then
    says that the variance is known as if from fewer problems (O'Neill 2014, "Some useful moment
    results in sampling problems"); but it cannot exceed that of all-or-nothing problems.
    """
    problems, metrics = means.shape
    if problems == 1:
        return np.zeros((settings.draws, metrics))
    centre = means.mean(axis=0)
    shifts = means - centre
    square = (shifts**2).mean(axis=0)
    kurtosis = (shifts**4).mean(axis=0) / np.maximum(square, TINY**2) ** 2
    df = np.floor(2 / (2 / (problems - 1) + np.maximum(kurtosis - 3, 0) / problems)).astype(int)
    purpose = ("problems", benchmark)
    draws = _counts(settings.draws, settings.seed, problems, purpose) @ shifts
    draws /= np.sqrt(problems * (problems - 1))
    for known in np.unique(df):
        scale = _unknown_variance(settings.draws, settings.seed, max(int(known), 1), purpose)
        draws[:, df == known] *= scale[:, None]
    normal = norm.ppf((1 + settings.level) / 2)
    greatest = normal * np.sqrt((1 - centre) * (centre - lowest) / problems)
    return draws * np.minimum(1, greatest / np.maximum(half_widths(draws, settings), TINY))


def _resample_seeds(effects: Floats, noise: Floats, settings: Settings) -> Floats:
    """Return draws (draws, ..., K) of the error that the choice of seeds makes.

    `effects` (S, ..., K) are means of seeds; `noise` (..., K) is the variance that interaction
    and decoding alone give to the mean of the S effects.
    """
    seeds = len(effects)
    shifts = effects - effects.mean(axis=0)
    variance = (shifts**2).sum(axis=0) / (seeds * (seeds - 1))
    excess = variance - noise * noise_share(seeds)
    shifts = shifts * np.sqrt(np.maximum(excess, 0) / np.maximum(variance, TINY**2))
    counts = _counts(settings.draws, settings.seed, seeds, ("seeds",))
    scale = _unknown_variance(settings.draws, settings.seed, seeds - 1, ("seeds",))
    scaled = counts * (scale / np.sqrt(seeds * (seeds - 1)))[:, None]
    return np.tensordot(scaled, shifts, axes=1)


def noise_share(seeds: int) -> float:
    """Return the share of interaction and decoding that is taken out of the seeds' variance.

    Few seeds often show less than their variance; without all of the noise there would then be
    nothing left, and coverage falls to 85 % with two seeds. Chosen by simulation: a third with
    two seeds, 60 % with three, 78 % with five.
    """
    return 1 - 1 / (seeds - 0.5)


@lru_cache(maxsize=64)
def _counts(draws: int, seed: int, units: int, purpose: tuple[str, ...]) -> Floats:
    """Return how often each unit is in each draw, (draws, units): the same for every variant."""
    generator = numpy_generator(seed, "bootstrap", *purpose, units)
    return generator.multinomial(units, np.full(units, 1 / units), size=draws).astype(float)


def _unknown_variance(draws: int, seed: int, df: int, purpose: tuple[str, ...]) -> Floats:
    """Return sqrt(df / chi^2) of each draw, (draws,): stratified, to need fewer draws."""
    return _chi_scales(draws, df)[_order(draws, seed, purpose)]


@lru_cache(maxsize=64)
def _order(draws: int, seed: int, purpose: tuple[str, ...]) -> NDArray[np.int64]:
    return numpy_generator(seed, "variance", *purpose).permutation(draws)


@lru_cache(maxsize=1024)
def _chi_scales(draws: int, df: int) -> Floats:
    return np.sqrt(df / chi2.ppf((np.arange(draws) + 0.5) / draws, df))


def half_widths(draws: Floats, settings: Settings) -> Floats:
    """Return the half-widths (...,) of symmetric intervals from draws (draws, ...).

    The order statistic that makes an interval exclude 0 exactly if `p_values` is below 1 - level.
    """
    rank = int(np.ceil(round((1 - settings.level) * (settings.draws + 1), 6))) - 1
    position = settings.draws - rank
    return np.partition(np.abs(draws), position, axis=0)[position]


def p_values(draws: Floats, estimates: Floats) -> Floats:
    """Return two-sided p values (...,) of "the truth is 0": at least 1 / (draws + 1)."""
    beyond = (np.abs(draws) >= np.abs(estimates)).sum(axis=0)
    return (1 + beyond) / (len(draws) + 1)
