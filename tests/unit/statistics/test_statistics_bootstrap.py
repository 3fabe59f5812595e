"""The bootstrap: against textbook intervals where those apply, and its invariances."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as options
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import t

from maspo.statistics import Settings
from maspo.statistics.bootstrap import (
    deviations,
    half_widths,
    noise_share,
    p_values,
    residual_mean_square,
)

MANY = Settings(draws=9999, level=0.95, seed=0)


def test_one_seed_gives_the_t_interval_of_its_problems():
    means = np.linspace(0.4, 0.6, 5)  # flat, so no problem outweighs the others
    values = np.repeat(means[None, :, None], 1, axis=0)
    (half,) = half_widths(deviations(values, ["a"] * 5, MANY), MANY)[0]
    assert half == pytest.approx(t.ppf(0.975, 4) * means.std(ddof=1) / 5**0.5, rel=0.06)


@pytest.mark.parametrize("seeds", [3, 5])
def test_equal_problems_give_the_t_interval_of_the_seeds(seeds):
    means = 0.5 + 0.1 * np.sin(np.arange(seeds))
    values = np.repeat(means[:, None, None], 12, axis=1)
    half = half_widths(deviations(values, ["a"] * 6 + ["b"] * 6, MANY), MANY)[:, 0]
    textbook = t.ppf(0.975, seeds - 1) * means.std(ddof=1) / seeds**0.5
    assert half == pytest.approx([textbook] * 3, rel=0.07)


def test_variances_of_seeds_and_problems_add_up_once():
    """Var = seeds (with the noise left in them) + problems, from the textbook's mean squares."""
    values = np.random.default_rng(3).normal(0.5, 0.05, (6, 30, 1))
    values += np.linspace(-0.02, 0.02, 6)[:, None, None]
    draws = deviations(values, ["a"] * 30, MANY)[:, 0, 0]
    table = values[..., 0]
    noise = residual_mean_square(values)[0] / 180
    seeds = table.mean(axis=1).var(ddof=1) / 6 - noise * noise_share(6)
    problems = table.mean(axis=0).var(ddof=1) / 30
    # each part is t distributed with 5 and 29 degrees of freedom: df / (df - 2) of its variance
    assert draws.var() == pytest.approx(seeds * 5 / 3 + problems * 29 / 27, rel=0.1)


def test_residuals_equal_least_squares():
    table = np.random.default_rng(0).normal(size=(4, 7))
    seed, problem = (index.ravel() for index in np.indices(table.shape))
    design = np.hstack([np.eye(4)[seed], np.eye(7)[problem]])
    fit, *_ = np.linalg.lstsq(design, table.ravel(), rcond=None)
    rest = table.ravel() - design @ fit
    assert residual_mean_square(table[..., None])[0] == pytest.approx(rest @ rest / (3 * 6))


@options(max_examples=25, deadline=None)
@given(arrays(float, (3, 8, 2), elements=st.floats(0.4, 0.6)), st.floats(-0.05, 0.05))
def test_a_shift_moves_no_bound_and_a_sign_mirrors_them(values, shift):
    few = Settings(draws=299, level=0.95, seed=1)
    draws = deviations(values, list("aaaabbbb"), few, lowest=-1.0)
    shifted = deviations(values + shift, list("aaaabbbb"), few, lowest=-1.0)
    np.testing.assert_allclose(shifted, draws, atol=1e-6)
    mirrored = deviations(-values, list("aaaabbbb"), few, lowest=-1.0)
    np.testing.assert_allclose(mirrored, -draws, atol=1e-9)


def test_draws_depend_on_the_seed_alone(make):
    values = make(1).counts[..., None] / 8
    names = make(1).benchmarks
    first = deviations(values, names, Settings(draws=299, level=0.95, seed=0))
    again = deviations(values.copy(), names, Settings(draws=299, level=0.95, seed=0))
    other = deviations(values, names, Settings(draws=299, level=0.95, seed=1))
    alone = deviations(values[:, 12:], names[12:], Settings(draws=299, level=0.95, seed=0))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)
    np.testing.assert_allclose(alone[:, 0], first[:, 1], atol=1e-12)  # benchmark b, without a


def test_one_problem_that_holds_all_variance_widens_the_interval():
    """It is at least as uncertain as its kurtosis says, at most as an all-or-nothing problem."""
    means = np.ones(40)
    means[0] = 0.5
    half = half_widths(deviations(means[None, :, None], ["a"] * 40, MANY), MANY)[0, 0]
    plain = means.std(ddof=1) / 40**0.5
    assert half > 2.5 * plain
    means = np.array([0.0] + [1.0] * 39)
    half = half_widths(deviations(means[None, :, None], ["a"] * 40, MANY), MANY)[0, 0]
    assert half == pytest.approx(1.96 * (0.975 * 0.025 / 40) ** 0.5, rel=1e-3)


@options(max_examples=50, deadline=None)
@given(
    st.sampled_from([(999, 0.95), (199, 0.95), (1000, 0.9), (1999, 0.99), (57, 0.8)]),
    st.integers(0, 2**32 - 1),
    st.floats(0, 4),
)
def test_an_interval_excludes_zero_exactly_if_p_is_below_one_minus_level(design, seed, estimate):
    count, level = design
    chosen = Settings(draws=count, level=level, seed=0)
    draws = np.random.default_rng(seed).standard_normal((count, 3)).round(2)  # with ties
    values = np.array([estimate, round(estimate, 2), -np.sort(np.abs(draws[:, 2]))[-count // 20]])
    excluded = np.abs(values) - half_widths(draws, chosen) > 0
    assert np.array_equal(excluded, p_values(draws, values) < round(1 - level, 12))


def test_p_values_are_never_zero():
    assert p_values(np.zeros((99, 1)), np.array([1.0])) == 0.01
