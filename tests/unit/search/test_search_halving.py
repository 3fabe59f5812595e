"""Successive halving with a stand-in for training: who goes on, and what a kill changes."""

import pytest

from maspo.config import load_experiment
from maspo.errors import ConfigError
from maspo.search.halving import halve
from maspo.search.records import best, summary, trials_table
from maspo.search.settings import load_search

optuna = pytest.importorskip("optuna")


class Scores:
    """Gives each trial an accuracy in place of training it; may be killed before a call."""

    def __init__(self, score, kill_at=None):
        self.score, self.kill_at = score, kill_at
        self.reached, self.kept = [], []

    def reach(self, trial, chosen, rung):
        if len(self.reached) == self.kill_at:
            raise KeyboardInterrupt
        self.reached.append((trial, rung))
        return self.score(trial, chosen) + rung / 1000

    def keep(self, trial):
        self.kept.append(trial)


def searched(folder, scores, family="maspo", trials=6, identity="one", **changed):
    folder.mkdir(exist_ok=True)
    overrides = [f"search.{name}={value}" for name, value in changed.items()]
    search = load_search([f"search.trials={trials}", *overrides], load_experiment())
    return halve(family, search, scores, folder / "journal.log", identity)


def near(trial, chosen):
    """An accuracy that is best at alpha 0.7."""
    return 0.5 - abs(chosen["alpha"] - 0.7)


def test_the_better_go_on_and_the_worse_are_stopped(tmp_path):
    scripted = [0.5, 0.4, 0.6, 0.3, 0.7, 0.1, 0.65, 0.55]
    scores = Scores(lambda trial, chosen: scripted[trial])
    outcomes = searched(tmp_path, scores, trials=8)
    # At a rung a trial goes on if it is in the better half of all that came there so far. The
    # last is fourth of eight at 15, and fourth of five at 30.
    assert [outcome.steps for outcome in outcomes] == [60, 15, 60, 15, 60, 15, 60, 30]
    assert [outcome.complete for outcome in outcomes] == [True, False] * 4
    assert outcomes[7].accuracy == pytest.approx({15: 0.565, 30: 0.58})
    assert scores.kept == list(range(8))
    assert best(outcomes).trial == 4


def test_the_first_trial_has_the_published_settings_and_the_others_its_ranges(tmp_path):
    outcomes = searched(tmp_path, Scores(near), trials=12)
    assert outcomes[0].chosen == {"sigma_base": 1.0, "alpha": 0.3, "beta": 0.03}
    drawn = [outcome.chosen for outcome in outcomes[1:]]
    assert len({tuple(chosen.values()) for chosen in drawn}) == len(drawn)
    assert all(0.1 <= chosen["sigma_base"] <= 2 and 0 <= chosen["beta"] <= 0.3 for chosen in drawn)
    assert near(0, best(outcomes).chosen) > near(0, outcomes[0].chosen)


@pytest.mark.parametrize("kill_at", [0, 1, 4, 9])
def test_a_killed_search_goes_on_with_the_same_trials(tmp_path, kill_at):
    whole = Scores(near)
    expected = searched(tmp_path / "whole", whole, "gate")
    killed, resumed = Scores(near, kill_at), Scores(near)
    with pytest.raises(KeyboardInterrupt):
        searched(tmp_path / "killed", killed, "gate")
    assert searched(tmp_path / "killed", resumed, "gate") == expected
    assert killed.reached + resumed.reached == whole.reached
    assert killed.kept + resumed.kept == whole.kept


def test_a_finished_search_makes_nothing_again_and_more_trials_are_added(tmp_path):
    first = searched(tmp_path, Scores(near), trials=3)
    again = Scores(near)
    assert searched(tmp_path, again, trials=3) == first
    assert again.reached == []
    longer = searched(tmp_path, again, trials=5)
    assert longer[:3] == first
    assert {trial for trial, _ in again.reached} == {3, 4}
    assert longer == searched(tmp_path / "at once", Scores(near), trials=5)


def test_another_seed_of_the_sampler_draws_other_trials(tmp_path):
    one, other = (
        searched(tmp_path / str(seed), Scores(near), trials=3, sampler_seed=seed) for seed in (0, 1)
    )
    assert one[0] == other[0]
    assert one[1].chosen != other[1].chosen


def test_a_journal_of_other_settings_is_refused(tmp_path):
    searched(tmp_path, Scores(near), trials=2)
    with pytest.raises(ConfigError, match=r"journal\.log holds a search of maspo with other"):
        searched(tmp_path, Scores(near), trials=2, identity="two")


def test_every_family_has_the_same_effort(tmp_path):
    search = load_search(["search.trials=5"], load_experiment())
    least, halved, most = search.cost()
    assert (least, halved, most) == (2 * (60 + 4 * 15), 2 * (5 * 15 + 2 * 15 + 30), 2 * 5 * 60)
    found = {}
    for family in search.families:
        scores = Scores(lambda trial, chosen: (0.5, 0.4, 0.6, 0.3, 0.7)[trial])
        found[family] = halve(family, search, scores, tmp_path / "journal.log", family)
    assert list(found) == ["grpo", "clip_higher", "sapo", "maspo", "gate"]
    assert {tuple(outcome.steps for outcome in of_one) for of_one in found.values()} == {
        (60, 15, 60, 15, 60)
    }
    table = trials_table(found, search)
    assert table.groupby("family").size().eq(5).all()
    assert table["seeds"].eq("101 102").all()
    text = summary(found, search)
    assert "| MASPO | " in text
    assert text.count(" | 5 | 3 | 420 | 56.0 | 76.0 |\n") == 5
    assert least <= 420 <= most
