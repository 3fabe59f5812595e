"""Avg@N, Pass@k and best@k of every variant, each with its interval."""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import norm, t

from maspo.config.schema import Statistics as Settings
from maspo.evaluation.metrics import avg_at_k, best_at_k, pass_at_k
from maspo.statistics.bootstrap import Floats, deviations, half_widths
from maspo.statistics.outcomes import AVERAGE, Outcomes, strata

NO_SPREAD = 1e-4  # below a hundredth of a point nothing varies that could be extrapolated from


def estimates(
    outcomes: Mapping[str, Outcomes], settings: Settings, ks: Sequence[int] | None = None
) -> pd.DataFrame:
    """Return every metric of every variant with its interval, for new seeds and new problems.

    Args:
        outcomes: by variant.
        settings: level of the intervals, draws and seed of the bootstrap.
        ks: of Pass@k and best@k; by default 1, 2, 4, ... and N.

    Returns:
        Columns variant, benchmark (each, then "average"), metric ("avg", "pass", "best"), k,
        value, low, high; all values in [0, 1]. Metric "avg" stands at k = N alone.

    Raises:
        ValueError: a k outside 1..N.
    """
    frames = []
    for variant, single in outcomes.items():
        names = metric_names(single.samples, ks)
        values = cell_metrics(single, names)
        centres = means(values, single.benchmarks)
        halves = half_widths(deviations(values, single.benchmarks, settings), settings)
        low, high = score_interval(centres, halves, problem_counts(single), settings.level)
        frame = labelled(names, single.benchmarks, value=centres, low=low, high=high)
        frame.insert(0, "variant", variant)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def metric_names(samples: int, ks: Sequence[int] | None = None) -> list[tuple[str, int]]:
    """Return (metric, k) of each column: avg at N, then pass and best at every k."""
    ks = ks or [*(2**power for power in range(samples.bit_length()) if 2**power < samples), samples]
    return [("avg", samples), *(("pass", k) for k in ks), *(("best", k) for k in ks)]


def cell_metrics(outcomes: Outcomes, names: Sequence[tuple[str, int]]) -> Floats:
    """Return the metrics of each seed and problem, (S, P, K)."""
    n = outcomes.samples
    possible = np.arange(n + 1)
    columns = {
        "avg": lambda k: avg_at_k(possible, n),
        "pass": lambda k: pass_at_k(possible, n, k),
        "best": lambda k: best_at_k(possible, n, k),
    }
    table = np.stack([columns[metric](k) for metric, k in names], axis=1)
    return table[outcomes.counts]


def means(values: Floats, benchmarks: Sequence[str]) -> Floats:
    """Return the mean of each benchmark and their unweighted average, (benchmarks + 1, K)."""
    rows = [values[:, index].mean(axis=(0, 1)) for _, index in strata(benchmarks)]
    return np.stack([*rows, np.mean(rows, axis=0)])


def problem_counts(outcomes: Outcomes) -> NDArray[np.int64]:
    """Return the number of problems of each benchmark and of all, (benchmarks + 1, 1)."""
    sizes = [len(index) for _, index in strata(outcomes.benchmarks)]
    return np.array([*sizes, sum(sizes)])[:, None]


def labelled(
    names: Sequence[tuple[str, int]], benchmarks: Sequence[str], **columns: Floats
) -> pd.DataFrame:
    """Return (benchmarks + 1, K) arrays as columns behind benchmark, metric and k."""
    rows = [*dict.fromkeys(benchmarks), AVERAGE]
    return pd.DataFrame(
        {
            "benchmark": np.repeat(rows, len(names)),
            "metric": [metric for _ in rows for metric, _ in names],
            "k": [k for _ in rows for _, k in names],
            **{name: array.ravel() for name, array in columns.items()},
        }
    )


def score_interval(
    values: Floats, half_widths: Floats, problems: NDArray[np.int64], level: float
) -> tuple[Floats, Floats]:
    """Turn symmetric intervals of values in [0, 1] into intervals that end inside [0, 1].

    Wilson's score interval: a bound is where the value would be one half-width away, with the
    variance proportional to value * (1 - value). It equals Wilson's for that many independent
    draws as would have this half-width. Where next to nothing varies (all correct) it is Wilson's
    for the number of problems, each right or wrong: with none of 40 wrong, up to 8.8 % may be.
    """
    variance = values * (1 - values)
    spread = (half_widths > NO_SPREAD) & (variance > 1e-9)
    ratio = np.where(spread, half_widths**2 / np.where(spread, variance, 1), 0)
    ratio = np.where(spread, ratio, norm.ppf((1 + level) / 2) ** 2 / problems)
    centre = (values + ratio / 2) / (1 + ratio)
    half = np.sqrt(ratio * variance + ratio**2 / 4) / (1 + ratio)
    return np.clip(centre - half, 0, values), np.clip(centre + half, values, 1)


def seed_mean(values: Floats, level: float) -> tuple[Floats, Floats, Floats]:
    """Return mean, low and high (...,) of values (S, ...) over seeds alone: Student's t interval.

    For training curves: the problems are the same at every seed. With one seed the bounds are NaN.
    """
    values = np.asarray(values, dtype=float)
    seeds = len(values)
    mean = values.mean(axis=0)
    if seeds == 1:
        unknown = np.full_like(mean, np.nan)
        return mean, unknown, unknown.copy()
    half = _student(level, seeds - 1) * values.std(axis=0, ddof=1) / np.sqrt(seeds)
    return mean, mean - half, mean + half


@cache
def _student(level: float, df: int) -> float:
    """Return the quantile that bounds a two-sided interval; scipy takes a while for each."""
    return t.ppf((1 + level) / 2, df)
