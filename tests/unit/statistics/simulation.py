"""Simulated evaluations of known truth, to see how often an interval covers it.

Correctness is a coin of probability expit(benchmark + seed + problem + seed x problem), the
effects normal on the logit scale. The truth is the mean over new seeds, problems and decodings.
"""

from dataclasses import dataclass

import numpy as np

from maspo.evaluation.metrics import pass_at_k
from maspo.statistics.bootstrap import deviations, half_widths
from maspo.statistics.intervals import means, score_interval

PROBLEMS, SAMPLES = 40, 32
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(81)
WEIGHTS = WEIGHTS / WEIGHTS.sum()
SPREAD = (1.0, 0.5, 0.0, -0.5, -1.0, -1.8)  # logits of six benchmarks
CEILING = (3.0, 2.0, 1.2, 0.6, 0.0, -0.8)  # as of a policy that is nearly perfect on some


@dataclass(frozen=True)
class Mix:
    """Standard deviations of the effects, on the logit scale."""

    seed: float = 0.0
    problem: float = 0.0
    interaction: float = 0.0

    @property
    def total(self) -> float:
        return float(np.hypot(np.hypot(self.seed, self.problem), self.interaction))


MIXES = {
    "seeds": Mix(0.4, 0.1, 0.0),
    "problems": Mix(0.05, 1.5, 0.3),
    "decoding": Mix(),
    "interaction": Mix(0.03, 0.0, 1.0),
    "all": Mix(0.2, 1.0, 0.5),
}
METRICS = {"avg@32": 1, "pass@8": 8}  # the k of a Pass@k: Avg@n is Pass@1


def expit(x):
    return 1 / (1 + np.exp(-x))


def truth(levels, mix, k):
    """Return the true Pass@k of each benchmark and their average, (benchmarks + 1,)."""
    solved = expit(np.asarray(levels)[:, None] + mix.total * NODES)
    rows = ((1 - (1 - solved) ** k) * WEIGHTS).sum(axis=1)
    return np.append(rows, rows.mean())


def ordinary(levels, mix, k):
    """Return which benchmarks (benchmarks,) are not near the ceiling: truth up to 0.98."""
    return truth(levels, mix, k)[:-1] <= 0.98


class Studies:
    """Many simulated studies of one design: effects drawn once, counts for one or two methods."""

    def __init__(self, count, seeds, mix, levels=SPREAD, seed=0):
        self.generator = np.random.default_rng([seed, seeds, count])
        self.shape = (seeds, len(levels) * PROBLEMS, count)
        self.benchmarks = [f"b{i}" for i in range(len(levels)) for _ in range(PROBLEMS)]
        self.levels, self.mix = levels, mix
        self.problem = self._normal(1, self.shape[1], count)
        self.seed = self._normal(seeds, 1, count)

    def _normal(self, *shape):
        return self.generator.standard_normal(shape)

    def logits(self, shift=0.0):
        """Return (S, P, studies): problems are shared by all calls, half of the seeds' variance."""
        seeds, problems, count = self.shape
        own = self._normal(seeds, 1, count)
        return (
            np.repeat(self.levels, PROBLEMS)[:, None]
            + shift
            + self.mix.seed * (self.seed + own) / np.sqrt(2)
            + self.mix.problem * self.problem
            + self.mix.interaction * self._normal(seeds, problems, count)
        )

    def counts(self):
        return self.generator.binomial(SAMPLES, expit(self.logits()))

    def paired_counts(self, shift):
        """Return counts of a reference and of a method better by `shift`; decodings are shared."""
        first, second = expit(self.logits()), expit(self.logits(shift))
        low, high = np.minimum(first, second), np.maximum(first, second)
        both = self.generator.binomial(SAMPLES, low)  # of common uniform numbers
        rest = np.clip((high - low) / np.maximum(1 - low, 1e-300), 0, 1)
        more = both + self.generator.binomial(SAMPLES - both, rest)
        reference_worse = first <= second
        return np.where(reference_worse, both, more), np.where(reference_worse, more, both)


def cells(counts, k):
    return pass_at_k(np.arange(SAMPLES + 1), SAMPLES, k)[counts]


def coverage(seeds, mix, k, settings, count, levels=SPREAD, seed=0, chunk=250):
    """Return how often the interval of Pass@k covers, (benchmarks + 1,)."""
    true = truth(levels, mix, k)[:, None]
    hits = 0
    for start in range(0, count, chunk):
        studies = Studies(chunk, seeds, mix, levels, seed=seed + start)
        values = cells(studies.counts(), k)
        halves = half_widths(deviations(values, studies.benchmarks, settings), settings)
        problems = np.array([PROBLEMS] * len(levels) + [PROBLEMS * len(levels)])[:, None]
        centres = means(values, studies.benchmarks)
        low, high = score_interval(centres, halves, problems, settings.level)
        hits += ((low <= true) & (true <= high)).sum(axis=1)
    return hits / count


def paired_coverage(seeds, mix, k, settings, count, levels=SPREAD, shift=0.2, seed=0, chunk=250):
    """Return how often the interval of the paired difference covers, (benchmarks + 1,)."""
    better = np.asarray(levels) + shift
    true = (truth(better, mix, k) - truth(levels, mix, k))[:, None]
    hits = 0
    for start in range(0, count, chunk):
        studies = Studies(chunk, seeds, mix, levels, seed=seed + start)
        reference, method = studies.paired_counts(shift)
        values = cells(method, k) - cells(reference, k)
        draws = deviations(values, studies.benchmarks, settings, lowest=-1.0)
        error = np.abs(means(values, studies.benchmarks) - true)
        hits += (error <= half_widths(draws, settings)).sum(axis=1)
    return hits / count
