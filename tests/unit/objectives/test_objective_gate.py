"""The gate's measures of distance: values by hand, and what they have to do with each other."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from objective_cases import random_arrays, run, to_batch, uniform

from maspo.objectives import make

PLAIN = {"alpha": 0.0, "beta_high": 0.0, "beta_low": 0.0, "sigma_base": 1.0}
K3 = {2.0: 1 - math.log(2), 0.5: math.log(2) - 0.5}  # rho - 1 - log rho


@pytest.mark.parametrize(
    ("distance", "ratio", "squared"),
    [
        ("ratio", 2.0, 1.0),
        ("ratio", 0.5, 0.25),
        ("tv", 2.0, 0.04),  # from 0.2 to 0.4
        ("tv", 0.5, 0.01),  # from 0.2 to 0.1
        ("kl", 2.0, 2 * K3[2.0]),
        ("kl", 0.5, 2 * K3[0.5]),
    ],
)
@pytest.mark.parametrize("sigma", [0.3, 1.0])
def test_weights_at_known_distances(distance, ratio, squared, sigma):
    gate = make("gate", **PLAIN | {"sigma_base": sigma, "distance": distance})
    output, gradient = run(gate, uniform(ratio, 1.0 if ratio > 1 else -1.0, old_prob=0.2))
    weight = math.exp(-squared / (2 * sigma**2))
    assert output.weight.item() == pytest.approx(weight, rel=1e-12)
    assert -gradient.item() == pytest.approx(weight * ratio * (1 if ratio > 1 else -1), rel=1e-12)


@pytest.mark.parametrize("changed", [{}, {"bilateral": True}, {"attached_gate": True}])
def test_the_ratio_is_maspo_bit_by_bit(changed):
    batch = to_batch(random_arrays(3), torch.float32)
    ours, gradient = run(make("gate", **changed), batch)
    theirs, expected = run(make("maspo", **changed), batch)
    assert torch.equal(ours.loss, theirs.loss)
    assert torch.equal(gradient, expected)
    assert ours.metrics == theirs.metrics


@settings(deadline=None, derandomize=True, max_examples=30)
@given(seed=st.integers(0, 10_000), alpha=st.floats(0, 1))
def test_tv_is_the_ratio_with_an_alpha_larger_by_one(seed, alpha):
    """Where the clamp of the width does not act: pi_old |rho - 1| pi_old^alpha / sigma_base."""
    batch = to_batch(random_arrays(seed))
    tv = run(make("gate", distance="tv", alpha=alpha, sigma_max=None), batch)
    ratio = run(make("maspo", alpha=alpha + 1, sigma_max=None), batch)
    torch.testing.assert_close(tv[0].weight, ratio[0].weight, rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(tv[1], ratio[1], rtol=1e-12, atol=1e-14)


def test_kl_is_the_ratio_near_one_and_differs_far_away():
    def weights(distance, ratio, advantage):
        gate = make("gate", **PLAIN | {"sigma_base": 0.05, "distance": distance})
        return run(gate, uniform(ratio, advantage))[0].weight.item()

    for ratio, advantage in ((1.001, 1.0), (0.999, -1.0)):
        near = [1 - weights(distance, ratio, advantage) for distance in ("kl", "ratio")]
        assert near[0] == pytest.approx(near[1], rel=2e-3)
        assert near[1] > 1e-4
    # A token that is made more probable goes a shorter way in KL, one that vanishes a longer way.
    assert weights("kl", 1.1, 1.0) > 1.05 * weights("ratio", 1.1, 1.0)
    assert weights("kl", 0.9, -1.0) < 0.95 * weights("ratio", 0.9, -1.0)


@pytest.mark.parametrize("distance", ["tv", "kl"])
def test_the_attached_gate_is_for_the_ratio(distance):
    with pytest.raises(
        ValueError, match=rf"attached_gate must be false .* distance = '{distance}'"
    ):
        make("gate", distance=distance, attached_gate=True)


@pytest.mark.parametrize("distance", ["tv", "kl"])
@pytest.mark.parametrize("bilateral", [False, True])
def test_the_sides_of_other_distances(distance, bilateral):
    gate = make("gate", distance=distance, bilateral=bilateral)
    measured = run(gate, uniform([2.0, 0.5, 2.0, 0.5], [1.0, -1.0, -1.0, 1.0]))[0].weight[0]
    assert (measured[:2] < 1).all()
    assert (measured[2:] < 1).all() if bilateral else (measured[2:] == 1).all()
