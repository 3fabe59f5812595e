"""Rewards follow verdicts, steps and rates of error; anyone can repeat the draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.config import load_experiment
from maspo.errors import ConfigError
from maspo.tasks.modular import make_modular
from maspo.training.rewards import draw_rewards, partial_credit
from miniature import TASK

RIGHT = np.random.default_rng(1).random(20_000) < 0.3


def train(*settings):
    return load_experiment(["scale=mini", *(f"train.{setting}" for setting in settings)]).train


NOISY = train("false_negatives=0.4", "false_positives=0.4")


def test_without_errors_the_verdict_is_the_reward():
    assert draw_rewards(RIGHT, train(), 1, 1).tolist() == RIGHT.astype(float).tolist()


@pytest.mark.parametrize(
    ("negatives", "positives"), [(0.2, 0.0), (0.0, 0.2), (0.1, 0.3), (1.0, 0.0)]
)
def test_errors_come_at_their_rates_and_on_their_own_side(negatives, positives):
    settings = train(f"false_negatives={negatives}", f"false_positives={positives}")
    rewards = draw_rewards(RIGHT, settings, 1, 1).numpy()
    # Four standard errors of a share over some 6,000 completions.
    assert 1 - rewards[RIGHT].mean() == pytest.approx(negatives, abs=0.02 * (0 < negatives < 1))
    assert rewards[~RIGHT].mean() == pytest.approx(positives, abs=0.015 * (positives > 0))


def test_what_errs_at_a_rate_errs_at_every_higher_one():
    low, high = (draw_rewards(RIGHT, train(f"false_negatives={r}"), 1, 1) for r in (0.1, 0.3))
    assert (high <= low).all()
    assert (high < low).any()


def test_a_coin_knows_nothing_of_the_verdicts():
    coins = draw_rewards(RIGHT, train("reward=random"), 1, 1)
    assert coins.tolist() == draw_rewards(~RIGHT, train("reward=random"), 1, 1).tolist()
    assert coins.mean().item() == pytest.approx(0.5, abs=0.015)


def test_partial_credit_is_for_wrong_answers_alone():
    rewards = draw_rewards(np.array([True, False, False]), train(), 1, 1, [0.5, 0.25, 0.0])
    assert rewards.tolist() == [1.0, 0.25, 0.0]


def test_partial_credit_reads_the_question_of_the_problem():
    credit = partial_credit(load_experiment(["scale=mini", "train.reward=steps"]))
    problem = next(p for p in make_modular(TASK).benchmarks["terms3"])
    first = int(problem.question[0], 36)
    operand = int(problem.question[2], 36)
    result = (first + operand if problem.question[1] == "+" else first * operand) % 31
    step = f"{problem.question[1:3]}={np.base_repr(result, 36).lower()}"
    assert credit(problem, step) == 0.5
    assert credit(problem, "?") == 0
    assert partial_credit(load_experiment(["scale=mini"])) is None


@pytest.mark.parametrize("settings", [["scale=gpu"], ["scale=smoke", "engine=verl_cpu"]])
def test_partial_credit_needs_steps_and_this_loop(settings):
    with pytest.raises(ConfigError, match=r"train\.reward='steps'.*task\.kind=modular"):
        load_experiment([*settings, "train.reward=steps"])


@given(st.lists(st.booleans(), min_size=8, max_size=8), st.integers(0, 7))
def test_a_reward_depends_on_its_own_verdict_and_place(right, place):
    alone = np.zeros(8, dtype=bool)
    alone[place] = right[place]
    whole = draw_rewards(np.array(right), NOISY, 3, 5)
    assert whole[place] == draw_rewards(alone, NOISY, 3, 5)[place]


def test_seeds_and_steps_err_elsewhere():
    settings = train("false_negatives=0.4")
    drawn = [draw_rewards(RIGHT, settings, *key).tolist() for key in ((1, 1), (1, 2), (2, 1))]
    assert drawn[0] != drawn[1] != drawn[2] != drawn[0]
    assert drawn[0] == draw_rewards(RIGHT, settings, 1, 1).tolist()


@pytest.mark.parametrize("setting", ["false_negatives=1.5", "false_positives=-0.1"])
def test_a_rate_is_a_share(setting):
    with pytest.raises(ConfigError, match=setting.split("=")[0]):
        train(setting)


def test_a_coin_has_no_errors():
    with pytest.raises(ConfigError, match=r"train\.reward='random'.*verifier"):
        train("reward=random", "false_negatives=0.2")
