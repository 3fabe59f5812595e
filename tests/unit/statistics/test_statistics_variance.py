"""Variance components: by hand, against known effects, and what they make of a plan."""

import numpy as np
import pytest

from maspo.errors import ConfigError, DataError
from maspo.statistics import Outcomes, comparisons, estimates, plan, variance_components
from maspo.statistics.variance import PARTS


def test_components_by_hand():
    """Two seeds, two problems, two samples: cell means 1, 1/2 and 1/2, 1/2."""
    correct = np.array([[[1, 1], [1, 0]], [[0, 1], [1, 0]]], dtype=bool)
    found = variance_components(Outcomes(correct, ("a", "a")))
    # mean 5/8; seeds 3/4, 1/2; problems 3/4, 1/2; every residual 1/8, their mean square 1/16;
    # decoding: mean of (0, 1/2, 1/2, 1/2) is 3/8 a sample, 3/16 a cell mean, which exceeds 1/16
    noise = 3 / 16 / 4
    assert found["decoding"] == pytest.approx(noise)
    assert found["seed_problem"] == 0
    assert found["seed"] == found["problem"] == 0  # 1/64 is below the noise
    assert found["decoding_share"] == 1


def draw(generator, size, effects, seeds=4, problems=20, samples=6):
    """Return outcomes of additive two-point effects: standard deviations of the probability."""
    sign = lambda *shape: generator.choice([-1.0, 1.0], size=shape)  # noqa: E731
    seed, problem, both = effects
    chance = 0.5 + seed * sign(size, seeds, 1, 1) + problem * sign(size, 1, 2 * problems, 1)
    chance = chance + both * sign(size, seeds, 2 * problems, 1)
    return generator.random((size, seeds, 2 * problems, samples)) < chance


def test_components_are_right_on_average_and_add_up():
    effects = (0.1, 0.2, 0.15)
    correct = draw(np.random.default_rng(0), 1500, effects)
    names = ("a",) * 20 + ("b",) * 20
    found = [variance_components(Outcomes(single, names)) for single in correct]
    seeds, problems, samples = 4, 40, 6
    within = 0.25 - sum(effect**2 for effect in effects)
    expected = {
        "seed": effects[0] ** 2 / seeds,
        "problem": effects[1] ** 2 / problems,
        "seed_problem": effects[2] ** 2 / (seeds * problems),
        "decoding": within / (seeds * problems * samples),
    }
    for part, value in expected.items():
        assert np.mean([c[part] for c in found]) == pytest.approx(value, rel=0.12), part
    averages = correct.mean(axis=(1, 2, 3))
    assert np.mean([c["total"] for c in found]) == pytest.approx(averages.var(), rel=0.12)
    assert all(sum(c[f"{part}_share"] for part in PARTS) == pytest.approx(1) for c in found)


def test_paired_differences_lose_the_problems(make):
    one, other = make(0, problems=40), make(0, problems=40, shift=0.2, noise=1)
    alone, paired = variance_components(one), variance_components(other, one)
    assert paired["problem"] < 0.1 * alone["problem"]
    same = variance_components(one, one)
    assert same["total"] == 0
    assert np.isnan(same["seed_share"])


def test_what_cannot_be_told_apart_is_not_a_number(make):
    found = variance_components(make(0, seeds=1))
    assert np.isnan([found["seed"], found["seed_problem"], found["seed_share"]]).all()
    assert found["problem_share"] + found["decoding_share"] == pytest.approx(1)
    assert np.isnan(variance_components(make(0, samples=1))["decoding"])
    with pytest.raises(DataError, match="problems"):
        variance_components(make(0), make(0, problems=4))


@pytest.fixture(scope="module")
def components(make):
    return variance_components(make(4, problems=40, seeds=4))


def test_precision_costs_monotonically(components):
    costs = [plan(components, half).completions.min() for half in (0.15, 0.12, 0.1, 0.09)]
    assert costs == sorted(costs)
    assert costs[0] < costs[-1]
    table = plan(components, 0.1)
    assert (table.half_width <= 0.1).all()
    assert (table.completions == table.seeds * 80 * table.samples).all()
    assert table.completions.is_monotonic_increasing
    by_samples = table.sort_values("samples")
    assert by_samples.seeds.is_monotonic_decreasing  # more samples never need more seeds
    assert plan(components, 0.12, level=0.99).seeds.min() > plan(components, 0.12).seeds.min()


def test_new_problems_set_a_floor_and_the_same_do_not(components):
    floor = plan(components, 0.2).floor[0]
    assert floor == pytest.approx(1.96 * components["problem"] ** 0.5, rel=1e-3)
    assert plan(components, 0.99 * floor).empty
    assert not plan(components, 0.99 * floor, same_problems=True).empty
    assert not plan(components, 0.99 * floor, problems=320).empty


def test_decoding_alone_costs_what_the_binomial_says():
    """With no other variance the half-width is 1.96 / sqrt(completions) * standard deviation."""
    parts = {"seed": 0.0, "problem": 0.0, "seed_problem": 0.0, "decoding": 0.25 / (10 * 100 * 10)}
    parts |= {"seeds": 10, "problems": 100, "samples": 10}
    row = plan(parts, 0.02, seeds=[30], samples=[4]).iloc[0]
    kept = 1 + 1 / 29.5  # the share of the noise that stays with the seeds
    assert row.half_width == pytest.approx(1.96 * (0.25 * kept / (30 * 100 * 4)) ** 0.5, rel=0.01)


def test_the_plan_foretells_the_interval_of_the_design_it_was_measured_on(make, settings):
    ratios = []
    for seed in range(20):
        reference, single = make(seed, problems=40), make(seed, problems=40, noise=1, shift=0.3)
        for parts, table in (
            (variance_components(single), estimates({"x": single}, settings, ks=[8])),
            (
                variance_components(single, reference),
                comparisons({"x": single, "y": reference}, [("x", "y")], settings),
            ),
        ):
            row = table[(table.benchmark == "average") & (table.metric == "avg")].iloc[0]
            planned = plan(parts, 1.0, seeds=[3], samples=[8]).half_width[0]
            ratios.append((row.high - row.low) / 2 / planned)
    assert np.median(ratios) == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"half_width": 0}, "half_width=0"),
        ({"half_width": float("nan")}, "half_width=nan"),
        ({"seeds": [1, 2]}, r"seeds=\[1, 2\]"),
        ({"samples": []}, r"samples=\[\]"),
    ],
)
def test_impossible_plans_are_refused_by_name(components, change, named):
    with pytest.raises(ConfigError, match=named):
        plan(components, **{"half_width": 0.1, **change})


def test_a_plan_needs_more_than_one_seed(make):
    with pytest.raises(ConfigError, match="seeds=1"):
        plan(variance_components(make(0, seeds=1)), 0.1)
