"""The best learning rate of each method, chosen on rewards of training."""

import pytest
from fabricate import STEPS, Skill, make_runs, study_data, suite_of

from maspo.reporting.tuning import tuning, tuning_markdown


def skill(last):
    """Return a run whose last ten rewards are `last`, after ten much better ones."""
    return Skill(reward=(1.0,) * (STEPS - 10) + (last,) * 10)


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    skills = {
        "grpo@lr_0.0001": skill(0.3),
        "grpo@lr_0.0002": skill(0.5),
        "maspo@lr_0.0001": skill(0.6),
        "maspo@lr_0.0002": skill(0.4),
    }
    return make_runs(tmp_path_factory.mktemp("runs"), skills, seeds=3)


GRID = ["grpo@lr_0.0001", "maspo@lr_0.0001", "grpo@lr_0.0002", "maspo@lr_0.0002"]


def suite(layout, *taken):
    grid = study_data(layout, GRID, name="learning_rate", seeds=2)
    if not taken:
        return suite_of(grid)
    return suite_of(grid, study_data(layout, list(taken), name="tuned", seeds=1, first_seed=3))


def test_a_rate_is_judged_by_its_last_ten_rewards(layout):
    table = tuning(suite(layout)).set_index(["objective", "lr"])
    assert table.reward["grpo", 1e-4] == pytest.approx(0.3)
    assert table.reward["grpo", 2e-4] == pytest.approx(0.5)
    assert table.reward["maspo", 1e-4] == pytest.approx(0.6)
    assert list(table.index[table.best]) == [("maspo", 1e-4), ("grpo", 2e-4)]
    assert table.taken.isna().all()
    assert set(table.seeds) == {2}


def test_the_study_at_the_best_rates_agrees(layout):
    made = suite(layout, "grpo@lr_0.0002", "maspo@lr_0.0001")
    table = tuning(made)
    assert (table.taken == table.best).all()
    text = tuning_markdown(made, table)
    assert "| Method | lr 1e-4 | lr 2e-4 |" in text
    assert "| GRPO | 30.0 [30.0, 30.0] | **50.0 [50.0, 50.0]** |" in text
    assert "tuned trains each method at its best rate" in text


def test_a_study_at_another_rate_is_named(layout):
    made = suite(layout, "grpo@lr_0.0001", "maspo@lr_0.0001")
    text = tuning_markdown(made, tuning(made))
    assert "tuned trains GRPO at another rate than the best of these runs" in text


def test_a_suite_without_the_grid_has_no_rows(layout):
    alone = suite_of(study_data(layout, GRID[:2], name="main"))
    assert tuning(alone).empty
    assert "no study learning_rate" in tuning_markdown(alone, tuning(alone))
