"""The statistics that decide claims: each turns a study into one effect with its interval.

docs/claims.md derives the intervals of the compound ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from statistics import NormalDist

import numpy as np
import pandas as pd

from maspo.config import split_variant
from maspo.errors import ConfigError
from maspo.layout import BASE_VARIANT
from maspo.reporting.collapse import fates
from maspo.reporting.comparisons import NAMES
from maspo.reporting.efficiency import running_mean, steps_to
from maspo.reporting.labels import label
from maspo.reporting.study_data import AVERAGE, StudyData
from maspo.statistics import seed_mean
from maspo.statistics.intervals import cell_metrics, means

OURS = "ours"  # stands for the paper's method as the study names it
OTHERS = "others"  # stands for all variants of the study that the other side does not name


@dataclass(frozen=True)
class Effect:
    """What a statistic found. The interval is NaN where there is none (one seed)."""

    what: str  # what the number is, to begin a sentence with
    value: float
    low: float
    high: float
    unit: str  # fraction, share (of runs), nats, steps
    seeds: int  # of each method
    p: float | None = None
    pair: tuple[str, str] | None = None  # of variants, whose difference in a score sets it


@dataclass(frozen=True)
class Difference:
    """Method minus reference in the average over benchmarks, paired by problem and seed."""

    unit = "fraction"
    method: str
    reference: str
    metric: str

    def effect(self, data: StudyData) -> Effect:
        """Return the difference as `BestInside` of one against one."""
        return BestInside([self.method], [self.reference], self.metric).effect(data)


@dataclass(frozen=True)
class BestInside:
    """Best variant inside a set minus best outside it, in the average over benchmarks.

    It is max over i of min over o of (i - o). The lower bound takes intervals corrected for the
    number of variants inside, the upper one for the number outside (Bonferroni).
    """

    unit = "fraction"
    inside: Sequence[str] | str
    outside: Sequence[str] | str
    metric: str

    def effect(self, data: StudyData) -> Effect:
        """Return the margin, and the p-value (Holm) of the pair that sets it."""
        inside = resolve(data, self.inside, self.outside)
        outside = resolve(data, self.outside, self.inside)
        pairs = list(product(inside, outside))
        error = 1 - data.analysis.statistics.level
        lows = average(data, pairs, self.metric, 1 - error / len(inside))
        highs = average(data, pairs, self.metric, 1 - error / len(outside))
        worst = {i: min(outside, key=lambda o, i=i: lows.difference[i, o]) for i in inside}
        best = max(inside, key=lambda i: lows.difference[i, worst[i]])
        pair = best, worst[best]
        what = f"{label(pair[0])} minus {label(pair[1])}"
        if len(pairs) > 1:
            first = label(best) if len(inside) == 1 else f"best of {names(inside)} ({label(best)})"
            second = f"best of {names(outside)} ({label(worst[best])})"
            what = f"{first} minus {second if len(outside) > 1 else label(pair[1])}"
        return Effect(
            f"{what}, {measure(data, self.metric)}",
            lows.difference[pair],
            max(min(lows.low[i, o] for o in outside) for i in inside),
            max(min(highs.high[i, o] for o in outside) for i in inside),
            self.unit,
            data.study.seeds,
            lows.p_holm[pair],
            pair,
        )


@dataclass(frozen=True)
class Interaction:
    """How much more a method gains over the reference under a condition than without it.

    Of several methods the one that gains most under the condition; the intervals of all of them
    hold together (Bonferroni).
    """

    unit = "fraction"
    methods: Sequence[str]
    reference: str
    condition: str  # such as false_negatives_0.2: what stands behind the @ of a variant's name
    metric: str

    def effect(self, data: StudyData) -> Effect:
        """Return the mean over seeds, each with its own base policy, and its t interval."""
        plain = resolve(data, [self.reference, *self.methods], [])
        under = resolve(data, [f"{v}@{self.condition}" for v in plain], [])
        without, within = (
            [seed_averages(data, name, self.metric) for name in names] for names in (plain, under)
        )
        gains = [within[i] - within[0] for i in range(1, len(plain))]
        chosen = max(range(len(gains)), key=lambda i: gains[i].mean())
        level = 1 - (1 - data.analysis.statistics.level) / len(gains)
        more = gains[chosen] - (without[1 + chosen] - without[0])
        mean, low, high = map(float, seed_mean(more, level))
        what = (
            f"{label(under[1 + chosen])} minus {label(under[0])}, beyond "
            f"{label(plain[1 + chosen])} minus {label(plain[0])}, {measure(data, self.metric)}"
        )
        return Effect(what, mean, low, high, self.unit, data.study.seeds)


@dataclass(frozen=True)
class LargestShift:
    """Largest absolute difference of any other variant of the study to the reference.

    The lower bound is corrected for the number of variants (Bonferroni); the upper one needs no
    correction.
    """

    unit = "fraction"
    reference: str
    metric: str

    def effect(self, data: StudyData) -> Effect:
        """Return the largest shift; it has no p-value, since its question is equivalence."""
        (reference,) = resolve(data, [self.reference], [])
        others = resolve(data, OTHERS, [reference])
        pairs = [(other, reference) for other in others]
        level = data.analysis.statistics.level
        plain = average(data, pairs, self.metric, level)
        wide = average(data, pairs, self.metric, 1 - (1 - level) / len(pairs))
        largest = plain.difference.abs().idxmax()
        return Effect(
            f"largest shift from {label(reference)} ({label(largest[0])}), "
            f"{measure(data, self.metric)}",
            abs(plain.difference[largest]),
            max(0.0, wide.low.max(), -wide.high.min()),
            max(-plain.low.min(), plain.high.max()),
            self.unit,
            data.study.seeds,
            pair=largest,
        )


@dataclass(frozen=True)
class FinalLog:
    """Difference of a logged metric in the mean of the last `window` steps, paired by seed."""

    method: str
    reference: str
    column: str
    window: int
    unit: str

    def effect(self, data: StudyData) -> Effect:
        """Return the mean difference with its t interval over seeds."""
        finals = [
            np.array([running_mean(run, self.window)[-1] for run in data.logged(name, self.column)])
            for name in resolve(data, [self.method, self.reference], [])
        ]
        what = f"{self.column} of the last {self.window} steps"
        return paired(data, self.method, self.reference, finals, what, self.unit)


@dataclass(frozen=True)
class Area:
    """Difference of the area under the reward curve (mean reward over steps), paired by seed."""

    unit = "fraction"
    method: str
    reference: str

    def effect(self, data: StudyData) -> Effect:
        """Return the mean difference with its t interval over seeds."""
        variants = resolve(data, [self.method, self.reference], [])
        areas = [data.logged(name, "reward").mean(axis=1) for name in variants]
        what = "area under the reward curve"
        return paired(data, self.method, self.reference, areas, what, self.unit)


@dataclass(frozen=True)
class StepsSaved:
    """Steps to a reward: reference minus method, paired by seed.

    A run that never gets there counts as one step more than were run.
    """

    unit = "steps"
    method: str
    reference: str
    reward: float

    def effect(self, data: StudyData) -> Effect:
        """Return the mean of the steps saved with its t interval over seeds."""
        window = data.analysis.efficiency.window
        steps, missed = [], 0
        for name in resolve(data, [self.reference, self.method], []):
            runs = data.logged(name, "reward")
            found = np.array([steps_to(run, self.reward, window) for run in runs])
            missed += int(np.isnan(found).sum())
            steps.append(np.where(np.isnan(found), runs.shape[1] + 1, found))
        what = f"steps to a reward of {100 * self.reward:g} %"
        if missed:
            what += f" ({missed} of {2 * data.study.seeds} runs never reached it)"
        return paired(data, self.reference, self.method, steps, what, self.unit)


@dataclass(frozen=True)
class CollapseRate:
    """Share of collapsed runs: reference minus method, under all conditions of the study together.

    Interval of Agresti and Caffo (The American Statistician 54, 2000), which adds a success and a
    failure to each side and so stays honest with few runs.
    """

    unit = "share"
    method: str
    reference: str

    def effect(self, data: StudyData) -> Effect:
        """Return the difference of the two rates."""
        counts, runs = self.counts(data)
        reference, method = (label(objective_of(data, n)) for n in (self.reference, self.method))
        return Effect(
            f"{reference} collapsed in {counts[0]} of {runs} runs and {method} in "
            f"{counts[1]}: difference of the shares",
            (counts[0] - counts[1]) / runs,
            *self.interval(counts, runs, data.analysis.statistics.level),
            self.unit,
            data.study.seeds,
        )

    def counts(self, data: StudyData) -> tuple[list[int], int]:
        """Return the collapsed runs of the reference and of the method, and the runs of each.

        Raises:
            ConfigError: the study does not have one of them under every condition of the other.
        """
        ended: list[list[bool]] = []
        for name in (self.reference, self.method):
            objective = objective_of(data, name)
            own = [v for v in data.study.variants if split_variant(v)[0] == objective]
            ended.append([run.collapsed for variant in own for run in fates(data, variant)])
        if not ended[0] or len(ended[0]) != len(ended[1]):
            raise ConfigError(
                f"a claim compares collapses of {self.method!r} and {self.reference!r}, but the "
                f"study {data.study.name!r} has {len(ended[1])} and {len(ended[0])} runs of them: "
                f"its variants are {list(data.study.variants)}"
            )
        return [sum(runs) for runs in ended], len(ended[0])

    @staticmethod
    def interval(counts: Sequence[float], runs: int, level: float) -> tuple[float, float]:
        """Return the bounds of the difference of two shares, first minus second, of `runs` each."""
        rates = [(count + 1) / (runs + 2) for count in counts]
        spread = sum(rate * (1 - rate) / (runs + 2) for rate in rates) ** 0.5
        half = NormalDist().inv_cdf((1 + level) / 2) * spread
        middle = rates[0] - rates[1]
        return max(-1.0, middle - half), min(1.0, middle + half)


STATISTICS = {
    "difference": Difference,
    "best_inside": BestInside,
    "interaction": Interaction,
    "largest_shift": LargestShift,
    "final_log": FinalLog,
    "area": Area,
    "steps_saved": StepsSaved,
    "collapse_rate": CollapseRate,
}


def objective_of(data: StudyData, name: str) -> str:
    """Return the objective that a claim names, `OURS` replaced by the paper's method."""
    own = (o for o in data.analysis.ours for v in data.study.variants if split_variant(v)[0] == o)
    return next(own, name) if name == OURS else name


def resolve(data: StudyData, chosen: Sequence[str] | str, other: Sequence[str] | str) -> list[str]:
    """Return the variants that a claim names, `OURS` and `OTHERS` replaced.

    An objective stands for its only variant, where the study has it under conditions alone.

    Raises:
        ConfigError: the study has no such variant.
    """
    if chosen == OTHERS:
        named = set(resolve(data, other, []))
        return [variant for variant in data.study.variants if variant not in named]
    variants = []
    for name in chosen:
        variant = data.ours() or OURS if name == OURS else name
        if variant not in data.variants:
            objective = objective_of(data, name)
            own = [v for v in data.study.variants if split_variant(v)[0] == objective]
            variant = own[0] if len(own) == 1 else variant
        if variant not in data.variants:
            raise ConfigError(
                f"a claim names the variant {variant!r}, but the study {data.study.name!r} has "
                f"{list(data.study.variants)}"
            )
        variants.append(variant)
    return variants


def average(
    data: StudyData, pairs: Sequence[tuple[str, str]], metric: str, level: float
) -> pd.DataFrame:
    """Return the comparisons of the average over benchmarks, indexed by (method, reference)."""
    table = data.comparisons(pairs, level)
    chosen = table[(table["benchmark"] == AVERAGE) & (table["metric"] == metric)]
    return chosen.set_index(["method", "reference"])


def seed_averages(data: StudyData, variant: str, metric: str) -> np.ndarray:
    """Return a score at k = n of each seed, averaged over benchmarks, (seeds,)."""
    outcomes = data.outcomes(variant)
    cells = cell_metrics(outcomes, [(metric, outcomes.samples)])
    return np.array([means(seed[None], outcomes.benchmarks)[-1, 0] for seed in cells])


def paired(
    data: StudyData,
    first: str,
    second: str,
    values: Sequence[np.ndarray],
    what: str,
    unit: str,
) -> Effect:
    """Return the mean over seeds of first minus second, with its t interval."""
    one, two = resolve(data, [first, second], [])
    bounds = seed_mean(values[0] - values[1], data.analysis.statistics.level)
    mean, low, high = map(float, bounds)
    what = f"{label(one)} minus {label(two)}, {what}"
    return Effect(what, mean, low, high, unit, data.study.seeds)


def measure(data: StudyData, metric: str) -> str:
    """Return a metric's name for readers."""
    return f"{NAMES[metric]}@{data.samples}"


def names(variants: Sequence[str]) -> str:
    """Return the labels of variants as a list in words; many are only counted."""
    if len(variants) > 3:
        return f"{len(variants)} others"
    return " and ".join(label(v) for v in variants if v != BASE_VARIANT)
