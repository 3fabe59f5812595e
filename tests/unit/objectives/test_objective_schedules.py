"""Settings that change over training: their values, their limits, and that nothing else changes."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.audit.logs import logged_by
from maspo.config import build_objective, build_scheduled, load_experiment, load_suite
from maspo.errors import ConfigError
from maspo.integrations.verl.overrides import verl_overrides
from maspo.objectives import make
from maspo.objectives.schedules import Ramp, Scheduled, Steered, read_schedule

LINEAR = {"schedule": "linear", "from": 0.5, "to": 0.0}
STEERED = {
    **{"schedule": "steered", "from": 0.3, "by": "entropy", "target": 0.2},
    **{"rate": -0.1, "low": 0.0, "high": 0.5},
}
numbers = st.floats(-5, 5)


@pytest.mark.parametrize(
    ("cosine", "wanted"),
    [
        (False, [0.5, 0.375, 0.25, 0.125, 0.0]),
        (True, [0.5, 0.5 - 0.25 * (1 - math.sqrt(0.5)), 0.25, 0.25 * (1 - math.sqrt(0.5)), 0.0]),
    ],
)
def test_a_ramp_goes_from_end_to_end(cosine, wanted):
    ramp = Ramp(0.5, 0.0, cosine)
    values = [ramp.value(step, 5, math.nan, {}) for step in range(1, 6)]
    assert values == pytest.approx(wanted, abs=1e-12)
    assert ramp.value(1, 1, math.nan, {}) == 0.5


@given(numbers, numbers, st.integers(1, 40), st.booleans())
def test_a_ramp_stays_between_its_ends(start, end, step, cosine):
    value = Ramp(start, end, cosine).value(step, 40, math.nan, {})
    assert min(start, end) - 1e-12 <= value <= max(start, end) + 1e-12


def test_a_steered_value_follows_the_stated_law():
    law = Steered(0.3, "entropy", target=0.2, rate=-0.1, low=0.0, high=0.5)
    assert law.value(1, 9, math.nan, {}) == 0.3
    assert law.value(2, 9, 0.3, {"entropy": 0.2}) == 0.3  # at its target it rests
    assert law.value(2, 9, 0.3, {"entropy": 0.1}) == pytest.approx(0.35)
    assert law.value(2, 9, 0.3, {"entropy": 0.4}) == pytest.approx(0.2)
    assert law.value(2, 9, 0.48, {"entropy": 0.1}) == 0.5
    assert law.value(2, 9, 0.05, {"entropy": 0.4}) == 0.0


def test_a_steered_value_settles_where_the_metric_is_at_its_target():
    def ended(rate):
        law, value = Steered(0.5, "x", target=0.2, rate=rate, low=0.0, high=1.0), 0.5
        for step in range(2, 200):
            value = law.value(step, 200, value, {"x": 0.5 - value})  # a metric that it lowers
        return value

    assert ended(0.1) == pytest.approx(0.3, abs=1e-6)
    assert ended(-0.1) == 1.0  # the wrong sign runs away, to a limit


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"schedule": "exponential"}, "one of .*linear.*got 'exponential'"),
        ({"schedule": None}, "schedule must be one of"),
        ({"gain": 1.0}, "steered schedule has .*gain"),
        ({"target": 0}, "target must not be 0"),
        ({"target": math.inf}, "target must be a finite number, got inf"),
        ({"rate": "fast"}, "rate must be a finite number, got 'fast'"),
        ({"low": True}, "low must be a finite number"),
        ({"from": 0.7}, "from=0.7 must lie between low and high"),
    ],
)
def test_a_schedule_that_cannot_be_is_refused_by_name(changes, named):
    with pytest.raises(ValueError, match=f"alpha: .*{named}|alpha: {named}"):
        read_schedule("alpha", STEERED | changes)


def test_a_missing_field_is_named():
    with pytest.raises(ValueError, match=r"linear schedule has \['from', 'to'\], got \['from'\]"):
        read_schedule("alpha", {"schedule": "linear", "from": 0.5})


def test_a_metric_that_is_not_logged_is_named_with_those_that_are():
    law = read_schedule("alpha", STEERED)
    with pytest.raises(ValueError, match=r"no number 'entropy'.*\['loss'\]"):
        law.value(2, 9, 0.3, {"loss": 1.0, "gradient_use": {}})


def test_the_objective_of_a_step_has_its_values_and_the_log_says_them():
    scheduled = Scheduled(make("maspo", alpha=0.5), {"alpha": read_schedule("alpha", LINEAR)})
    assert scheduled.at(1, 3, None) == (make("maspo", alpha=0.5), {"setting_alpha": 0.5})
    assert scheduled.at(2, 3, {}) == (make("maspo", alpha=0.25), {"setting_alpha": 0.25})
    assert scheduled.at(3, 3, {}) == (make("maspo", alpha=0.0), {"setting_alpha": 0.0})
    plain = Scheduled(make("maspo"))
    assert plain.at(2, 3, {}) == (plain.first, {})


def test_a_steered_value_is_read_from_the_log():
    scheduled = Scheduled(make("maspo"), {"alpha": read_schedule("alpha", STEERED)})
    _, columns = scheduled.at(5, 9, {"setting_alpha": 0.4, "entropy": 0.1})
    assert columns == {"setting_alpha": pytest.approx(0.45)}


def test_files_have_schedules():
    scheduled = build_scheduled("maspo_alpha_falling")
    assert scheduled.schedules == {"alpha": Ramp(0.5, 0.0)}
    assert build_objective("maspo_alpha_falling") == make("maspo", alpha=0.5)
    assert build_scheduled("maspo_alpha_falling_beta_0.1").first.beta_low == 0.1
    assert build_scheduled("maspo_alpha_falling_alpha_0.3") == build_scheduled("maspo")
    assert "setting_alpha" in logged_by("maspo_alpha_falling")
    assert "setting_alpha" not in logged_by("maspo")


def test_an_end_outside_of_the_setting_s_bounds_is_refused_before_any_run(monkeypatch):
    from maspo.config import variants

    def broken(variant):
        return {"_target_": "maspo.objectives.maspo.Maspo", "alpha": {**LINEAR, "to": -0.5}}

    monkeypatch.setattr(variants, "objective_settings", broken)
    with pytest.raises(ConfigError, match=r"alpha must be .*got -0\.5"):
        build_scheduled("maspo")


def test_verl_gets_schedules_as_they_are_written():
    """Its worker changes the settings (tests/integration/verl); a suite of them is no error."""
    load_suite(load_experiment(["scale=paper", "variants=maspo_alpha_falling", "seed=1"]))
    run = load_experiment(["scale=paper", "variant=maspo_alpha_steered", "seed=1"])
    overrides = verl_overrides(run, Path("policy"), Path("problems"), Path("checkpoints"))
    (alpha,) = [line for line in overrides if "settings.alpha=" in line]
    law = "{schedule:steered,from:0.3,by:entropy,target:0.15,rate:-0.05,low:0.0,high:1.0}"
    assert alpha.endswith(f"settings.alpha={law}")
    assert "actor_rollout_ref.actor.calculate_entropy=true" in overrides


def test_verl_is_not_asked_to_steer_by_what_it_does_not_know(monkeypatch):
    from maspo.config import variants

    def by_reward(variant):
        return {"_target_": "maspo.objectives.maspo.Maspo", "alpha": {**STEERED, "by": "reward"}}

    monkeypatch.setattr(variants, "objective_settings", by_reward)
    load_experiment(["scale=mini", "variant=maspo", "seed=1"])
    with pytest.raises(ConfigError, match=r"engine\.kind=verl: alpha is steered by 'reward'"):
        load_experiment(["scale=paper", "variant=maspo", "seed=1"])
