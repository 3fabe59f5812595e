"""From the interval of an effect to a ruling, and what a study of this size could have found."""

import math
from enum import StrEnum

from scipy.stats import norm

from maspo.reporting.claim_statistics import Effect

POWER = 0.8  # of `detectable`; the usual convention (Cohen 1988)


class Ruling(StrEnum):
    """What the data say about a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NEGLIGIBLE = "negligible"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"


# The first of these that a part has is the ruling on its claim; without any it is supported.
ORDER = (Ruling.CONTRADICTED, Ruling.NOT_TESTED, Ruling.INCONCLUSIVE, Ruling.NEGLIGIBLE)


def judge(
    effect: Effect, above: float | None, below: float | None, margin: float | None = None
) -> Ruling:
    """Return the ruling on an effect that the claim wants above or below a bound.

    With one seed nothing is known of how runs vary, so whatever the interval, it decides nothing.
    """
    if not known(effect):
        return Ruling.INCONCLUSIVE
    over, under = (
        (Ruling.SUPPORTED, Ruling.CONTRADICTED)
        if above is not None
        else (Ruling.CONTRADICTED, Ruling.SUPPORTED)
    )
    bound = above if above is not None else below
    if effect.low > bound:
        return over
    if effect.high < bound:
        return under
    return Ruling.NEGLIGIBLE if small(effect, bound, margin) else Ruling.INCONCLUSIVE


def known(effect: Effect) -> bool:
    """Return whether there is an interval that says how runs vary."""
    return effect.seeds > 1 and math.isfinite(effect.low) and math.isfinite(effect.high)


def small(effect: Effect, bound: float, margin: float | None) -> bool:
    """Return whether the whole interval is nearer to the bound than the margin."""
    return margin is not None and max(bound - effect.low, effect.high - bound) < margin


def detectable(effect: Effect, bound: float, level: float) -> float | None:
    """Return the least true distance from the bound that is found with a chance of `POWER`.

    Of a study of this size: an interval of `level` whose half is z(level) standard errors leaves
    the bound out with that chance if the truth lies z(level) + z(POWER) of them away (normal
    approximation). The half is that between the effect and the bound, of an effect on the bound
    the longer one. In the effect's unit; None where the interval is not known.
    """
    if not known(effect):
        return None
    below, above = effect.value - effect.low, effect.high - effect.value
    half = below if effect.value > bound else above
    if effect.value == bound:
        half = max(below, above)
    z = norm.ppf((1 + level) / 2)
    return float(half * (z + norm.ppf(POWER)) / z)
