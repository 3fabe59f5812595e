"""What is read from training logs: curves, efficiency, gradient use, collapse."""

import json
from dataclasses import replace

import numpy as np
import pytest
from fabricate import STEPS, Skill, make_runs, study_data, write_run
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from maspo.errors import DataError
from maspo.reporting.collapse import definition, fate
from maspo.reporting.dynamics import dynamics
from maspo.reporting.efficiency import efficiency, efficiency_markdown, running_mean, steps_to
from maspo.reporting.results import read_log
from maspo.reporting.token_use import gradient_use
from maspo.statistics import seed_mean

RISING = np.linspace(0.4, 0.9, STEPS)


def test_dynamics_are_means_over_seeds(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill(spread=0.05)}, seeds=3)
    data = study_data(layout, ["grpo"])
    table = dynamics(data)
    reward = table[table.metric == "reward"].set_index("step")
    assert list(reward.index) == list(range(1, STEPS + 1))
    logged = data.results.curves(data.study.runs_of("grpo"), "reward")
    assert reward["mean"].to_numpy() == pytest.approx(logged.mean(axis=0))
    assert (reward.low < reward["mean"]).all()
    assert (reward["mean"] < reward.high).all()
    assert set(table.seeds) == {3}
    assert "gated_fraction" not in set(table.metric)  # these logs do not have it


def test_one_seed_has_no_band(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    table = dynamics(study_data(layout, ["grpo"], seeds=1))
    assert table.low.isna().all()
    assert table["mean"].notna().all()


def test_gradient_use_is_summed_over_steps(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=2)
    table = gradient_use(study_data(layout, ["grpo"], seeds=2))
    assert list(table.bin_low) == [0.0, 0.5]
    assert list(table.bin_high) == [0.5, 1.0]
    assert list(table.tokens) == [10 * STEPS * 2, 30 * STEPS * 2]
    assert list(table.nonzero_fraction) == pytest.approx([0.5, 1.0])
    assert list(table.mean_weight) == pytest.approx([0.4, 0.9])
    assert list(table.weight_low) == pytest.approx([0.4, 0.9])  # the seeds agree


def test_a_bin_without_tokens_is_empty(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    path = layout.run("grpo", 1) / "metrics.jsonl"
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows:
        for name in ("tokens", "nonzero", "weight"):
            row["gradient_use"][name][0] = 0
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    table = gradient_use(study_data(layout, ["grpo"], seeds=1))
    assert np.isnan(table.mean_weight[0])
    assert table.mean_weight[1] == pytest.approx(0.9)


def test_older_logs_are_named(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    write_run(layout, "grpo", 2, Skill(), 0.0, gradient_use=False)
    with pytest.raises(DataError, match=r"seed_2.metrics\.jsonl, step 1, has no gradient_use"):
        gradient_use(study_data(layout, ["grpo"], seeds=2))


def test_an_engine_that_logs_no_gradient_use_leaves_the_table_empty(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    write_run(layout, "grpo", 1, Skill(), 0.0, gradient_use=False)
    table = gradient_use(study_data(layout, ["grpo"], seeds=1))
    assert table.empty
    assert "nonzero_fraction" in table.columns


def test_logs_of_different_lengths_are_named(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    write_run(layout, "grpo", 2, Skill(reward=(0.5,) * 3, entropy=(0.1,) * 3), 0.0)
    with pytest.raises(DataError, match=r"\[20, 3\] steps"):
        study_data(layout, ["grpo"], seeds=2).logged("grpo", "reward")
    (layout.run("grpo", 1) / "timings.jsonl").write_text("")
    with pytest.raises(DataError, match="is empty"):
        read_log(layout.run("grpo", 1) / "timings.jsonl")


@pytest.mark.parametrize(
    ("values", "reward", "window", "steps"),
    [
        ([0.1, 0.5, 0.9], 0.5, 1, 2),
        ([0.1, 0.5, 0.9], 0.5, 2, 3),  # means 0.3, 0.7
        ([0.1, 0.9, 0.1, 0.9], 0.5, 2, 2),  # exactly the mean of the first two
        ([0.9, 0.9], 0.5, 1, 1),
        ([0.2, 0.8], 0.5, 10, 2),  # fewer steps than the window: the mean of all
    ],
)
def test_steps_to_a_reward(values, reward, window, steps):
    assert steps_to(values, reward, window) == steps


def test_a_reward_never_reached_is_no_number():
    assert np.isnan(steps_to([0.1, 0.2], 0.5, 1))


@hypothesis_settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30), st.integers(1, 10), st.floats(0.01, 1))
def test_steps_to_agrees_with_a_plain_search(values, window, reward):
    size = min(window, len(values))
    ends = range(size, len(values) + 1)
    found = [end for end in ends if np.mean(values[end - size : end]) >= reward - 1e-9]
    near = any(abs(np.mean(values[end - size : end]) - reward) < 1e-8 for end in ends)
    if not near:
        steps = steps_to(values, reward, window)
        assert np.isnan(steps) if not found else steps == found[0]


def test_efficiency_names_the_seeds_of_its_study(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    write_run(layout, "grpo", 13, Skill(reward=tuple(RISING)), 0.0)
    data = study_data(layout, ["grpo"], seeds=1, first_seed=13, base_seeds=(13,))
    (row,) = efficiency(data).to_dict("records")
    assert row["seed"] == 13
    assert row["area"] == pytest.approx(RISING.mean())


def test_efficiency_counts_the_seeds_that_never_reach_a_reward(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill(reward=tuple(RISING))}, seeds=1)
    write_run(layout, "grpo", 2, Skill(reward=(0.45,) * STEPS), 0.0)
    data = study_data(layout, ["grpo"], seeds=2)
    table = efficiency(data).set_index("seed")
    assert table.area[1] == pytest.approx(RISING.mean())
    mean, low, high = seed_mean(table.area.to_numpy(), 0.95)
    assert low < mean < high
    assert set(table.area_low) == {low}
    assert set(table.area_high) == {high}
    assert table["steps_to_0.4"][2] == 5  # the window of five steps has to be full
    assert np.isnan(table["steps_to_0.5"][2])
    first = table["steps_to_0.5"][1]
    row = efficiency_markdown(data, efficiency(data)).splitlines()[2]
    assert f"| ≥ {(first + STEPS + 1) / 2:.1f} (1 of 2) |" in row


@pytest.fixture
def settings(tmp_path):
    return replace(study_data(tmp_path, ["grpo"]).analysis.collapse, window=5)


FLAT = np.full(STEPS, 0.1)


@pytest.mark.parametrize(
    ("reward", "entropy", "which"),
    [
        (RISING, FLAT, None),
        (RISING[::-1], FLAT, "reward"),
        (np.r_[RISING, RISING[-1] * np.full(5, 0.85)], np.full(25, 0.1), None),  # lost too little
        (np.r_[RISING, RISING[-1] * np.full(5, 0.75)], np.full(25, 0.1), "reward"),
        (np.full(STEPS, 0.5), np.geomspace(0.2, 1e-4, STEPS), "entropy"),
        (np.full(STEPS, 0.95), np.geomspace(0.2, 1e-4, STEPS), None),  # certain and right
        (np.full(STEPS, 0.0), FLAT, None),  # never had anything to lose
        (np.full(STEPS, np.nan), FLAT, "reward"),
    ],
)
def test_collapse_is_detected(settings, reward, entropy, which):
    run = fate(reward, entropy, settings)
    assert (run.reward, run.entropy) == (which == "reward", which == "entropy")
    assert run.collapsed == (which is not None)


def test_a_log_of_nan_is_a_collapse(settings):
    assert fate(np.full(STEPS, 0.5), np.full(STEPS, np.nan), settings).collapsed


def test_the_definition_states_every_threshold(settings):
    text = definition(settings)
    for number in ("last 5 steps", "80 %", "5 %", "90 %"):
        assert number in text


@hypothesis_settings(deadline=None)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.integers(1, 25))
def test_running_mean_keeps_bounds_and_length(values, window):
    means = running_mean(np.array(values), window)
    assert len(means) == max(len(values) - window + 1, 1)
    assert min(values) - 1e-9 <= means.min() <= means.max() <= max(values) + 1e-9
