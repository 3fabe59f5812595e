"""How many seeds would decide what was inconclusive, judging by the runs that there are."""

import math
from bisect import bisect_left
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy.stats import t

from maspo.reporting.claim_statistics import CollapseRate, Effect, average
from maspo.reporting.claims_file import Part
from maspo.reporting.ruling import Ruling, judge, known
from maspo.reporting.study_data import StudyData
from maspo.statistics import plan, seed_mean, variance_components
from maspo.statistics.intervals import cell_metrics, means

MOST = 100  # seeds of a method; nobody trains more


def seeds_to_decide(data: StudyData, part: Part, effect: Effect) -> int | None:
    """Return the fewest seeds of each method, up to `MOST`, that would end in another ruling.

    Assumed is that the effect stays where it is and the runs vary as they did: the interval is
    narrowed and judged again. One seed shows no variation, so the answer is then two, the fewest
    that show any. None: not even `MOST` would do, or the effect is not known.
    """
    if effect.seeds < 2:
        return 2
    if not known(effect):
        return None
    at = projection(data, part, effect)

    def decided(seeds: int) -> bool:
        ruling = judge(at(seeds), part.above, part.below, part.margin)
        return ruling is not Ruling.INCONCLUSIVE

    # More seeds give a narrower interval inside the wider one, which stays decided.
    choices = range(effect.seeds + 1, MOST + 1)
    first = bisect_left(choices, True, key=decided)
    return choices[first] if first < len(choices) else None


def projection(data: StudyData, part: Part, effect: Effect) -> Callable[[int], Effect]:
    """Return what maps a number of seeds to the effect as it would then be known."""
    statistic = part.statistic
    if isinstance(statistic, CollapseRate):
        level, (counts, runs) = data.analysis.statistics.level, statistic.counts(data)

        def of_shares(seeds: int) -> Effect:
            grown = [count * seeds / effect.seeds for count in counts]
            low, high = statistic.interval(grown, runs * seeds // effect.seeds, level)
            return replace(effect, low=low, high=high, seeds=seeds)

        return of_shares
    width = narrowing(data, effect, getattr(statistic, "metric", None))

    def narrowed(seeds: int) -> Effect:
        share = width(seeds) / width(effect.seeds)
        low = effect.value - share * (effect.value - effect.low)
        high = effect.value + share * (effect.high - effect.value)
        return replace(effect, low=low, high=high, seeds=seeds)

    return narrowed


def narrowing(data: StudyData, effect: Effect, metric: str | None) -> Callable[[int], float]:
    """Return what maps a number of seeds to the width of the interval, in a unit of its own.

    Avg@k: the plan of the pair that sets the effect. Else what varies between seeds is Student's t
    over them; what does not, the problems' part of Pass@k, stays as it is.
    """
    level, now = data.analysis.statistics.level, effect.seeds

    def students(seeds: int) -> float:
        return t.ppf((1 + level) / 2, seeds - 1) / math.sqrt(seeds)

    if effect.pair is None:
        return students
    outcomes = [data.outcomes(variant) for variant in effect.pair]
    samples = outcomes[0].samples
    if metric == "avg" and samples > 1:
        parts = variance_components(*outcomes)
        if parts["total"] > 0:
            return lambda seeds: float(
                plan(parts, math.inf, [seeds], [samples], level=level)["half_width"].iloc[0]
            )
    method, reference = (cell_metrics(single, [(metric, samples)]) for single in outcomes)
    benchmarks = outcomes[0].benchmarks
    seedwise = np.array([means(cells[None], benchmarks)[-1, 0] for cells in method - reference])
    mean, low, _ = seed_mean(seedwise, level)
    whole = average(data, [effect.pair], metric, level).iloc[0]
    share = min(1.0, float((mean - low) / (whole["difference"] - whole["low"])) ** 2)
    return lambda seeds: math.sqrt(1 - share + share * (students(seeds) / students(now)) ** 2)
