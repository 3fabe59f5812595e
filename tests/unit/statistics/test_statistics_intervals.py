"""Estimates and their intervals: values against the metrics, bounds against known formulas."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest, ttest_1samp

from maspo.config import load_experiment
from maspo.errors import ConfigError
from maspo.evaluation import avg_at_k, best_at_k, pass_at_k
from maspo.statistics import Outcomes, Settings, estimates, seed_mean
from maspo.statistics.intervals import score_interval


def index(frame):
    return frame.set_index(["benchmark", "metric", "k"])


def test_values_are_those_of_the_metrics_and_average_benchmarks_equally(make, settings):
    single = make(0)
    table = index(estimates({"grpo": single}, settings))
    counts = single.counts
    assert list(table.index.get_level_values("benchmark").unique()) == ["a", "b", "average"]
    assert set(table.loc["a"].index) == {
        ("avg", 8),
        *((metric, k) for metric in ("pass", "best") for k in (1, 2, 4, 8)),
    }
    assert table.value["a", "avg", 8] == pytest.approx(avg_at_k(counts[:, :12], 8).mean())
    assert table.value["b", "pass", 4] == pytest.approx(pass_at_k(counts[:, 12:], 8, 4).mean())
    assert table.value["b", "best", 2] == pytest.approx(best_at_k(counts[:, 12:], 8, 2).mean())
    a, b = table.value["a", "pass", 2], table.value["b", "pass", 2]
    assert table.value["average", "pass", 2] == pytest.approx((a + b) / 2)
    assert table.value["a", "pass", 1] == pytest.approx(table.value["a", "avg", 8])
    assert (table.low < table.value).all()
    assert (table.value < table.high).all()


def test_unequal_benchmarks_still_count_equally(settings):
    correct = np.zeros((1, 5, 2), dtype=bool)
    correct[:, 0] = True
    table = index(estimates({"x": Outcomes(correct, tuple("abbbb"))}, settings))
    assert table.value["average", "avg", 2] == 0.5


def test_the_order_of_samples_changes_nothing_and_of_problems_only_the_draws(make, settings):
    single = make(2, problems=30)
    generator = np.random.default_rng(0)
    table = estimates({"x": single}, settings)
    samples = Outcomes(generator.permuted(single.correct, axis=2), single.benchmarks)
    assert estimates({"x": samples}, settings).equals(table)
    order = np.concatenate([generator.permutation(30), 30 + generator.permutation(30)])
    problems = Outcomes(single.correct[:, order], single.benchmarks)
    permuted = estimates({"x": problems}, settings)
    np.testing.assert_allclose(permuted.value, table.value, atol=1e-12)
    np.testing.assert_allclose(permuted.high - permuted.low, table.high - table.low, rtol=0.15)


def test_other_variants_do_not_move_an_interval(make, settings):
    alone = estimates({"x": make(1)}, settings)
    both = estimates({"y": make(5, seeds=5), "x": make(1)}, settings)
    assert both[both.variant == "x"].reset_index(drop=True).equals(alone)


def test_a_higher_level_is_wider(make):
    wide, narrow = (
        estimates({"x": make(1)}, Settings(draws=1999, level=level, seed=0))
        for level in (0.99, 0.9)
    )
    assert (wide.low < narrow.low).all()
    assert ((wide.high > narrow.high) | (narrow.high == 1)).all()


@pytest.mark.parametrize(("right", "of"), [(8, 10), (1, 40), (39, 40), (30, 60)])
def test_the_score_interval_of_a_proportion_is_wilsons(right, of):
    value = np.array([right / of])
    half = 1.959963984540054 * np.sqrt(value * (1 - value) / of)
    low, high = score_interval(value, half, np.array([of]), 0.95)
    known = binomtest(right, of).proportion_ci(0.95, method="wilson")
    assert (low[0], high[0]) == pytest.approx((known.low, known.high))


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("answer", [True, False])
def test_all_correct_or_all_wrong_is_no_certainty(seeds, answer, settings):
    correct = np.full((seeds, 80, 4), answer)
    table = index(estimates({"x": Outcomes(correct, ("a",) * 40 + ("b",) * 40)}, settings))
    for benchmark, problems in (("a", 40), ("average", 80)):
        known = binomtest(problems * answer, problems).proportion_ci(0.95, method="wilson")
        row = table.loc[(benchmark, "avg", 4)]
        assert (row.low, row.high) == pytest.approx((known.low, known.high), abs=1e-9)


@given(st.floats(0, 1), st.floats(0, 3), st.integers(1, 500))
def test_score_intervals_hold_their_value_and_stay_in_range(value, half, problems):
    low, high = score_interval(np.array([value]), np.array([half]), np.array([problems]), 0.95)
    assert 0 <= low[0] <= value <= high[0] <= 1
    assert high[0] - low[0] > 0


def test_a_k_that_was_not_sampled_is_refused(make, settings):
    with pytest.raises(ValueError, match="k=9"):
        estimates({"x": make(0)}, settings, ks=[9])


def test_seed_means_are_students():
    curves = np.random.default_rng(0).normal(size=(4, 6))
    mean, low, high = seed_mean(curves, 0.95)
    known = ttest_1samp(curves, 0, axis=0).confidence_interval(0.95)
    np.testing.assert_allclose(low, known.low)
    np.testing.assert_allclose(high, known.high)
    np.testing.assert_allclose(mean, curves.mean(axis=0))
    mean, low, high = seed_mean(curves[:1], 0.95)
    assert np.array_equal(mean, curves[0])
    assert np.isnan(low).all()
    assert np.isnan(high).all()


def test_settings_come_from_the_experiment():
    assert load_experiment(["scale=smoke"]).statistics == Settings(draws=19999, level=0.95, seed=0)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("level=1.5", "level"),
        ("level=0.2", "level"),
        ("draws=100", "199"),
        ("seed=-1", "seed"),
        ("draw=9", "draws"),
    ],
)
def test_bad_settings_are_refused_by_name(override, named):
    with pytest.raises(ConfigError, match=named):
        load_experiment([f"statistics.{override}"])
