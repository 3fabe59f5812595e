"""MASPO's risk controller beyond binary rewards: advantages of any real size.

Defined: sigma is chosen by the sign of A; its factor is monotone in A, continuous at 0 where it
is 1, and held in [risk_min, risk_max] however large an advantage is.
"""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from objective_cases import run, uniform

from maspo.objectives import make

drawn = settings(deadline=None, derandomize=True, max_examples=50)


def factor(advantage, **changed):
    """sigma over sigma_mass, at an old probability of 1."""
    objective = make("maspo", **changed)
    value = torch.tensor([advantage], dtype=torch.float64)
    return 1 / objective.inverse_sigma(torch.zeros_like(value), value).item()


@drawn
@given(advantage=st.floats(-1e12, 1e12))
def test_the_factor_is_bounded_for_any_advantage(advantage):
    measured = factor(advantage)
    assert 0.1 * (1 - 1e-12) <= measured <= 10 * (1 + 1e-12)
    assert (measured >= 1) if advantage >= 0 else (measured <= 1)


@drawn
@given(pair=st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)))
def test_the_factor_never_falls_as_the_advantage_rises(pair):
    low, high = sorted(pair)
    assert factor(low) <= factor(high) * (1 + 1e-12)


@drawn
@given(advantage=st.floats(-1e6, 1e6), beta=st.floats(0, 100))
def test_the_factor_never_turns_its_sign(advantage, beta):
    """1 - beta_low A would, for A > 1 / beta_low; sigma_neg never meets such an A."""
    for bilateral in (False, True):
        measured = factor(
            advantage, beta_low=beta, risk_min=None, risk_max=None, bilateral=bilateral
        )
        assert 0 < measured < math.inf


def test_the_factor_is_continuous_at_zero():
    assert factor(0.0) == 1.0
    assert factor(1e-9) == pytest.approx(1.0, abs=1e-9)
    assert factor(-1e-9) == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize(
    ("advantage", "expected"),
    [
        (2.0, 1.06),
        (-2.0, 1 / 1.06),
        (300.0, 10.0),  # 1 + 0.03 * 300 is the clamp exactly
        (1e4, 10.0),
        (-300.0, 0.1),
        (-1e4, 0.1),
    ],
)
def test_the_factor_at_known_advantages(advantage, expected):
    assert factor(advantage) == pytest.approx(expected, rel=1e-12)


def test_without_clamps_the_factor_is_the_equation():
    free = {"risk_min": None, "risk_max": None}
    assert factor(1e4, **free) == pytest.approx(301.0)
    assert factor(-1e4, **free) == pytest.approx(1 / 301.0)


def test_graded_rewards_order_the_gates():
    """Of tokens that went equally far, the better answer keeps more, the worse one less."""
    up, _ = run(make("maspo", beta_high=0.5), uniform(2.0, [0.1, 0.5, 1.0, 3.0]))
    down, _ = run(make("maspo", beta_low=0.5), uniform(0.5, [-0.1, -0.5, -1.0, -3.0]))
    assert (up.weight.diff() > 0).all()
    assert (down.weight.diff() < 0).all()
