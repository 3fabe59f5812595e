"""Where the variance of a reported Avg@N comes from: seeds, problems, both, decoding."""

import numpy as np

from maspo.statistics.bootstrap import Floats, residual_mean_square
from maspo.statistics.comparisons import paired
from maspo.statistics.outcomes import Outcomes, strata

PARTS = ("seed", "problem", "seed_problem", "decoding")


def variance_components(outcomes: Outcomes, reference: Outcomes | None = None) -> dict[str, float]:
    """Return the parts of the variance of the "average" Avg@N, or of its paired difference.

    Random effects of seeds crossed with problems (within benchmarks), decodings nested in both,
    by the method of moments (analysis of variance); an estimate below 0 is 0. The parts are those
    of the reported number, so with twice the seeds `seed` is half as large.

    Args:
        outcomes: of one variant.
        reference: of another; the parts are then those of outcomes minus reference, paired.

    Returns:
        seed, problem, seed_problem, decoding: variances, and each with ``_share`` behind it: of
        their sum `total`. `seeds`, `problems` (of all benchmarks), `samples`: what it was measured
        with. With one seed `seed` and `seed_problem` are NaN, the latter being within `problem`;
        with one sample decoding is within `seed_problem`, and NaN. Shares are of what is known.

    Raises:
        DataError: the reference has other problems, samples or seeds.
    """
    values = outcomes.correct.astype(float)
    if reference is not None:
        paired(outcomes, reference, ("the outcomes", "the reference"))
        values = values - reference.correct
    seeds, problems, samples = values.shape
    benchmarks = list(strata(outcomes.benchmarks))
    parts = np.array([_within(values[:, index]) for _, index in benchmarks])
    problem, seed_problem, decoding, noise = parts.sum(axis=0) / len(benchmarks) ** 2
    seed = np.nan
    if seeds > 1:
        averages = np.mean([values[:, index].mean(axis=(1, 2)) for _, index in benchmarks], axis=0)
        seed = max(averages.var(ddof=1) / seeds - noise, 0.0)
    variances = dict(zip(PARTS, map(float, (seed, problem, seed_problem, decoding)), strict=True))
    total = float(np.nansum(list(variances.values())))
    shares = {
        f"{name}_share": value / total if total > 0 else np.nan for name, value in variances.items()
    }
    sizes = {"seeds": seeds, "problems": problems, "samples": samples}
    return {**variances, "total": total, **shares, **sizes}


def _within(values: Floats) -> tuple[float, float, float, float]:
    """Return problem, seed x problem, decoding, and the latter two together, of one benchmark.

    Variances of the benchmark's mean, from (S, P, N) values.
    """
    seeds, problems, samples = values.shape
    cells = values.mean(axis=2)
    size = seeds * problems
    decoding = values.var(axis=2, ddof=1).mean() / samples / size if samples > 1 else np.nan
    known_decoding = np.nan_to_num(decoding)
    problem = cells.mean(axis=0).var(ddof=1) / problems if problems > 1 else 0.0
    if seeds == 1:
        return max(problem - known_decoding, 0.0), np.nan, decoding, known_decoding
    noise = float(residual_mean_square(cells[..., None])[0]) / size if problems > 1 else 0.0
    noise = max(noise, known_decoding)  # it includes decoding
    return max(problem - noise, 0.0), noise - known_decoding, decoding, noise
