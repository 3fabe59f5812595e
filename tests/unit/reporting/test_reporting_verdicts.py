"""From interval to verdict: five verdicts of which always exactly one applies."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import norm

from maspo.reporting.claim_statistics import Effect
from maspo.reporting.claims import JudgedClaim, JudgedPart, reason
from maspo.reporting.claims_file import load_claims
from maspo.reporting.ruling import Ruling, detectable, judge

# Multiples of 1/64 add up without rounding, so intervals may end exactly on a bound or margin.
numbers = st.integers(-64, 64).map(lambda n: n / 64)
margins = st.none() | st.integers(1, 64).map(lambda n: n / 64)
effects = st.tuples(numbers, numbers).map(lambda ends: effect(min(ends), max(ends)))
every_case = hypothesis_settings(deadline=None, max_examples=300)


def effect(low, high, seeds=3):
    return Effect("x", (low + high) / 2, low, high, "fraction", seeds)


@pytest.mark.parametrize(
    ("low", "high", "above", "below"),
    [
        (0.1, 0.3, "supported", "contradicted"),
        (-0.3, -0.1, "contradicted", "supported"),
        (-0.1, 0.3, "inconclusive", "inconclusive"),
        (0.0, 0.3, "inconclusive", "inconclusive"),  # touching the bound is not beyond it
        (float("nan"), float("nan"), "inconclusive", "inconclusive"),
        (-0.01, 0.02, "negligible", "negligible"),
        (0.0, 0.02, "negligible", "negligible"),
        (0.0, 0.0, "negligible", "negligible"),
        (-0.01, 0.05, "inconclusive", "inconclusive"),  # nor touching the margin within it
        (-0.05, 0.01, "inconclusive", "inconclusive"),
        (0.01, 0.02, "supported", "contradicted"),  # small, and yet above
        (-0.02, -0.01, "contradicted", "supported"),
    ],
)
def test_the_interval_decides(low, high, above, below):
    assert judge(effect(low, high), 0.0, None, 0.05) == above
    assert judge(effect(low, high), None, 0.0, 0.05) == below


def test_without_a_margin_nothing_is_negligible():
    assert judge(effect(-0.01, 0.02), 0.0, None) is Ruling.INCONCLUSIVE


@pytest.mark.parametrize("low", [0.1, -0.01])
def test_one_seed_decides_nothing(low):
    assert judge(effect(low, 0.3, seeds=1), 0.0, None, 0.5) is Ruling.INCONCLUSIVE


@every_case
@given(effects, numbers, margins)
def test_exactly_one_verdict_applies(found, bound, margin):
    above, below = found.low > bound, found.high < bound
    near = margin is not None and bound - margin < found.low and found.high < bound + margin
    applies = {
        "supported": above,
        "contradicted": below,
        "negligible": not above and not below and near,
        "inconclusive": not above and not below and not near,
    }
    assert [name for name, true in applies.items() if true] == [judge(found, bound, None, margin)]


@every_case
@given(effects, numbers, margins)
def test_a_claim_and_its_opposite_never_both_hold(found, bound, margin):
    verdicts = [judge(found, bound, None, margin), judge(found, None, bound, margin)]
    assert set(verdicts) in ({"supported", "contradicted"}, {"inconclusive"}, {"negligible"})


@every_case
@given(effects, numbers, margins, numbers)
def test_shifting_effect_and_bound_together_changes_nothing(found, bound, margin, shift):
    moved = effect(found.low + shift, found.high + shift)
    assert judge(moved, bound + shift, None, margin) == judge(found, bound, None, margin)
    assert judge(moved, None, bound + shift, margin) == judge(found, None, bound, margin)


@every_case
@given(st.lists(numbers, min_size=4, max_size=4).map(sorted), numbers, margins)
def test_a_narrower_interval_never_loses_a_verdict(ends, bound, margin):
    wide = judge(effect(ends[0], ends[3]), bound, None, margin)
    narrow = judge(effect(ends[1], ends[2]), bound, None, margin)
    if wide in ("supported", "contradicted"):
        assert narrow == wide
    if wide is Ruling.NEGLIGIBLE:
        assert narrow is not Ruling.INCONCLUSIVE


@every_case
@given(effects, numbers, margins, margins)
def test_a_larger_margin_only_makes_more_negligible(found, bound, one, two):
    small, large = sorted((one or 0.0, two or 0.0))
    before, after = (judge(found, bound, None, margin or None) for margin in (small, large))
    assert (before, after) == ("inconclusive", "negligible") or before == after


@pytest.mark.parametrize(
    ("parts", "whole"),
    [
        (["supported", "supported"], "supported"),
        (["supported", "negligible"], "negligible"),
        (["negligible", "inconclusive"], "inconclusive"),
        (["inconclusive", "not tested", "negligible"], "not tested"),
        (["contradicted", "not tested", "inconclusive", "negligible"], "contradicted"),
        (["contradicted", "supported"], "contradicted"),
    ],
)
def test_a_claim_holds_if_all_of_its_parts_do(parts, whole):
    claim = load_claims()[0]
    for order in (parts, parts[::-1]):
        verdicts = tuple(JudgedPart(claim.parts[0], Ruling(part), "", "main") for part in order)
        assert JudgedClaim(claim, verdicts).ruling == whole


def test_what_is_detectable_is_found_four_times_of_five():
    half = norm.ppf(0.975)  # standard error 1
    least = detectable(Effect("x", 1.0, 1.0 - half, 1.0 + half, "steps", 3), 0.0, 0.95)
    assert least == pytest.approx(2.8016, abs=1e-4)
    assert norm.sf(half, loc=least) == pytest.approx(0.8)
    wide = norm.ppf(0.995)
    least = detectable(Effect("x", 1.0, 1.0 - wide, 1.0 + wide, "steps", 3), 0.0, 0.99)
    assert norm.sf(wide, loc=least) == pytest.approx(0.8)


@pytest.mark.parametrize(("bound", "half"), [(0.0, 0.2), (0.1, 0.2), (0.5, 0.1)])
def test_the_half_that_faces_the_bound_counts(bound, half):
    found = Effect("x", 0.1, -0.1, 0.2, "fraction", 3)
    assert detectable(found, bound, 0.95) == pytest.approx(1.42940 * half, rel=1e-4)


def test_one_seed_or_no_interval_detects_nothing():
    assert detectable(effect(0.1, 0.3, seeds=1), 0.0, 0.95) is None
    assert detectable(effect(float("nan"), float("nan")), 0.0, 0.95) is None


@pytest.mark.parametrize(
    ("low", "high", "seeds", "words"),
    [
        (-0.002, 0.004, 3, "the interval holds 0 and lies within 1.0 points of it"),
        (0.002, 0.004, 3, "above 0, as the claim says; yet the effect is smaller than the margin"),
        (-0.004, -0.002, 3, "below 0, against the claim; yet the effect is smaller than the"),
        (-0.02, 0.02, 1, "how many would is seen from two on"),
        (float("nan"), float("nan"), 3, "it has no interval"),
    ],
)
def test_the_reason_says_what_is_small(low, high, seeds, words):
    part = load_claims()[0].parts[0]
    found = effect(low, high, seeds)
    text = reason(found, judge(found, 0.0, None, part.margin), part)
    assert words in text


def test_what_is_beyond_the_margin_is_not_called_small():
    part = load_claims()[0].parts[0]
    assert "margin" not in reason(effect(0.002, 0.02), Ruling.SUPPORTED, part)
    assert "margin" not in reason(effect(0.1, 0.2), Ruling.SUPPORTED, replace(part, margin=None))
