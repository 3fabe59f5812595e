"""Paired differences, their p values, and Holm's correction."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.errors import DataError
from maspo.statistics import Outcomes, comparisons, estimates, holm


def row(table, benchmark="average", metric="avg"):
    (found,) = table[(table.benchmark == benchmark) & (table.metric == metric)].itertuples()
    return found


@pytest.fixture(scope="module")
def variants(make):
    return {"grpo": make(0), "maspo": make(0, shift=0.7, noise=1), "sapo": make(0, noise=2)}


def test_differences_are_those_of_the_estimates(variants, settings):
    table = comparisons(variants, [("maspo", "grpo")], settings)
    known = estimates(variants, settings, ks=[8])
    for found in table.itertuples():
        same = known[(known.benchmark == found.benchmark) & (known.metric == found.metric)]
        values = same.set_index("variant").value
        assert found.k == 8
        assert found.difference == pytest.approx(values["maspo"] - values["grpo"])
        assert (found.low + found.high) / 2 == pytest.approx(found.difference)
    assert row(table).p < 0.05 < row(comparisons(variants, [("sapo", "grpo")], settings)).p


def test_intervals_exclude_zero_exactly_if_p_is_below_five_percent(make, settings):
    variants = {f"v{i}": make(0, shift=0.05 * i, noise=i) for i in range(12)}
    table = comparisons(variants, [(f"v{i}", "v0") for i in range(1, 12)], settings)
    excluded = (table.low > 0) | (table.high < 0)
    assert (excluded == (table.p < 0.05)).all()
    assert 0.1 < excluded.mean() < 0.9


def test_swapping_mirrors(variants, settings):
    there = comparisons(variants, [("maspo", "grpo")], settings)
    back = comparisons(variants, [("grpo", "maspo")], settings)
    np.testing.assert_allclose(there.difference, -back.difference)
    np.testing.assert_allclose(there.low, -back.high)
    assert (there.p == back.p).all()


def test_pairing_is_narrower_than_two_independent_intervals(make, settings):
    variants = {"grpo": make(0, problems=40), "sapo": make(0, problems=40, noise=1)}
    paired = row(comparisons(variants, [("sapo", "grpo")], settings))
    alone = estimates(variants, settings, ks=[8])
    alone = alone[(alone.benchmark == "average") & (alone.metric == "avg")]
    independent = np.hypot(*(alone.high - alone.low))
    assert paired.high - paired.low < 0.75 * independent


def test_a_variant_equals_itself_without_certainty(variants, settings):
    table = comparisons({"x": variants["grpo"]}, [("x", "x")], settings)
    assert (table.difference == 0).all()
    assert (table.p == 1).all()
    assert (table.low < 0).all()
    assert row(table, "a").high == pytest.approx(3.8415 / (12 + 3.8415), rel=1e-4)


def test_all_right_against_all_wrong(settings):
    both = {
        name: Outcomes(np.full((3, 20, 4), answer), ("a",) * 20)
        for name, answer in (("right", True), ("wrong", False))
    }
    found = row(comparisons(both, [("right", "wrong")], settings))
    assert found.difference == 1
    assert found.low > 0
    assert found.p == 1 / (settings.draws + 1)


def test_one_seed_is_compared_with_each_of_the_other(make, settings):
    base = make(0, seeds=1, noise=9)
    table = comparisons({"base": base, "x": make(0, shift=1)}, [("x", "base")], settings)
    assert row(table).low > 0


def test_holm_corrects_within_benchmark_and_metric(variants, settings):
    pairs = [("maspo", "grpo"), ("sapo", "grpo"), ("maspo", "sapo"), ("maspo", "grpo")]
    table = comparisons(variants, pairs, settings)
    assert len(table) == 3 * 9  # the repeated pair stands once
    for _, family in table.groupby(["benchmark", "metric"]):
        np.testing.assert_allclose(family.p_holm, holm(family.p))
    assert comparisons(variants, [], settings).columns.equals(table.columns)


def test_holm_of_a_known_example():
    """As R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")."""
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_holm_lies_between_no_correction_and_bonferroni(p):
    p = np.array(p)
    corrected = holm(p)
    assert (corrected >= p).all()
    assert (corrected <= np.minimum(len(p) * p, 1) + 1e-12).all()
    assert corrected[p.argmin()] == pytest.approx(min(len(p) * p.min(), 1))
    assert (np.diff(corrected[np.argsort(p, kind="stable")]) >= 0).all()
    assert corrected.max() <= 1


def test_variants_that_do_not_correspond_are_refused_by_name(make, settings):
    good = make(0)
    named = tuple(f"p{i}" for i in range(24))
    cases = {
        "problems": Outcomes(good.correct, ("c",) * 24),
        "samples": make(0, samples=4),
        "seeds": make(0, seeds=2),
    }
    for what, other in cases.items():
        with pytest.raises(DataError, match=f"x and y have different .*{what}"):
            comparisons({"x": good, "y": other}, [("x", "y")], settings)
    first = Outcomes(good.correct, good.benchmarks, named)
    second = Outcomes(good.correct, good.benchmarks, named[::-1])
    with pytest.raises(DataError, match="different problems"):
        comparisons({"x": first, "y": second}, [("x", "y")], settings)
    with pytest.raises(DataError, match=r"'z'.*'x'"):
        comparisons({"x": good}, [("x", "z")], settings)
