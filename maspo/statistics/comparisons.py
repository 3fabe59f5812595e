"""Differences between variants, paired by problem and seed, with corrected p values."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import norm

from maspo.config.schema import Statistics as Settings
from maspo.errors import DataError
from maspo.statistics.bootstrap import Floats, deviations, half_widths, p_values
from maspo.statistics.intervals import NO_SPREAD, cell_metrics, labelled, means, problem_counts
from maspo.statistics.outcomes import Outcomes


def comparisons(
    outcomes: Mapping[str, Outcomes], pairs: Sequence[tuple[str, str]], settings: Settings
) -> pd.DataFrame:
    """Return method minus reference for each pair of variants (method, reference).

    Both answered the same problems, and the i-th seeds of both shared their random numbers, so
    the differences of cells are bootstrapped. A variant of one seed is compared with each seed
    of the other; nothing is then known of its own seeds.

    Returns:
        Columns method, reference, benchmark (each, then "average"), metric ("avg", "pass",
        "best"), k (= N), difference, low, high, p and p_holm. An interval of level 0.95 excludes
        0 exactly if p < 0.05. `p_holm` is corrected for the pairs of this call (each once),
        within each benchmark and metric.

    Raises:
        DataError: a variant is missing, or the two have other problems, samples or seeds.
    """
    columns = ["method", "reference", "benchmark", "metric", "k"]
    columns += ["difference", "low", "high", "p", "p_holm"]
    if not pairs:
        return pd.DataFrame(columns=columns)
    frames = [_compare(outcomes, *pair, settings) for pair in dict.fromkeys(pairs)]
    table = pd.concat(frames, ignore_index=True)
    families = table.groupby(["benchmark", "metric", "k"], sort=False)["p"]
    table["p_holm"] = families.transform(holm)
    return table[columns]


def holm(p: ArrayLike) -> Floats:
    """Return p values corrected for their number (Holm 1979): times n, n - 1, ..., never falling.

    Rejecting where they are below alpha keeps the chance of any false rejection below alpha.
    """
    p = np.asarray(p, dtype=float)
    order = np.argsort(p, kind="stable")
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    return corrected


def paired(method: Outcomes, reference: Outcomes, pair: tuple[str, str]) -> None:
    """Refuse two variants whose cells do not correspond."""
    problems = (method.problems, reference.problems)
    same_problems = method.benchmarks == reference.benchmarks and (
        None in problems or problems[0] == problems[1]
    )
    seeds = (len(method.correct), len(reference.correct))
    for same, what in (
        (same_problems, "problems"),
        (method.samples == reference.samples, f"samples ({method.samples}, {reference.samples})"),
        (seeds[0] == seeds[1] or 1 in seeds, f"numbers of seeds {seeds}"),
    ):
        if not same:
            raise DataError(
                f"{pair[0]} and {pair[1]} have different {what}: compare variants evaluated alike"
            )


def _compare(
    outcomes: Mapping[str, Outcomes], method: str, reference: str, settings: Settings
) -> pd.DataFrame:
    for variant in (method, reference):
        if variant not in outcomes:
            raise DataError(f"comparison of {variant!r}: there are outcomes of {sorted(outcomes)}")
    first, second = outcomes[method], outcomes[reference]
    paired(first, second, (method, reference))
    names = [(metric, first.samples) for metric in ("avg", "pass", "best")]
    values = cell_metrics(first, names) - cell_metrics(second, names)
    difference = means(values, first.benchmarks)
    draws = deviations(values, first.benchmarks, settings, lowest=-1.0)
    half, p = half_widths(draws, settings), p_values(draws, difference)
    # Where no difference varies, the bootstrap sees none: the bound is that of a share of
    # problems of which none was seen (as in `score_interval`), and p says on which side 0 is.
    ratio = norm.ppf((1 + settings.level) / 2) ** 2 / problem_counts(first)
    constant = half < NO_SPREAD
    half = np.where(constant, ratio / (1 + ratio), half)
    least = 1 / (settings.draws + 1)
    p = np.where(constant, np.where(np.abs(difference) > half, least, 1.0), p)
    frame = labelled(
        names,
        first.benchmarks,
        difference=difference,
        low=difference - half,
        high=difference + half,
        p=p,
    )
    frame.insert(0, "method", method)
    frame.insert(1, "reference", reference)
    return frame
