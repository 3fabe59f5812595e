"""What a search may be: bad families, settings and ranges are refused before any run."""

import sys

import pytest

from maspo.config import load_experiment, objective_settings
from maspo.errors import ConfigError
from maspo.search.__main__ import cost, run_search
from maspo.search.halving import import_optuna
from maspo.search.settings import load_search, split_overrides
from maspo.search.space import check_space, node, usual

REFUSED = [
    ("search=none", r"search=none is unknown: valid are \['gates'\]"),
    ("search.trial=3", r"'search.trial' is unknown: search has \['trials', "),
    ("search.trials=0", "search.trials=0 is not valid: it must be at least 1"),
    ("search.trials=many", "'many' of type 'str' could not be converted"),
    ("search.rungs=[15,30,120]", "each the same whole number of times the one before"),
    ("search.rungs=[60]", "two steps or more"),
    ("search.rungs=[30,60,120]", "ends with 60: train.steps=60"),
    ("search.window=16", r"at most 15 \(rung\)"),
    ("+search.families.mapso={alpha:{low:0,high:1}}", "family 'mapso' is unknown: valid are"),
    ("+search.families.grpo.tau={low:1,high:2}", r"grpo\.tau: grpo has no 'tau', it has \["),
    ("search.families.sapo=null", "search.families.sapo is empty"),
    ("search.families.maspo.alpha.low=1", "low=1.0 high=1.0 is empty"),
    ("search.families.maspo.alpha.high=null", "high=None is empty"),
    ("+search.families.maspo.alpha.log=true", r"low=0.0 must be above 0 with log: true"),
    ("search.families.maspo.alpha.high=0.2", "does not hold 0.3, the alpha of maspo's own file"),
    ("search.families.maspo.alpha.low=-1", "alpha: Maspo.alpha must be a number at least 0"),
    ("search.families.maspo.alpha=3", "alpha=3 is no range: write"),
    ("+search.families.maspo.alpha.hi=3", "Key 'hi' not in 'Range'"),
    ("search.families.gate.distance.choices=[ratio]", "must be two values or more"),
    ("search.families.gate.distance.choices=[ratio,js]", "one of .*'kl'.*, got 'js'"),
    ("+search.families.clip_higher.both={fields:[clip_low,clip_high],low:0.1,high:0.4}", "differ"),
]


@pytest.mark.parametrize(("override", "message"), REFUSED)
def test_what_cannot_be_searched_is_refused(override, message):
    with pytest.raises(ConfigError, match=message):
        load_search([override], load_experiment())


@pytest.mark.parametrize(
    ("overrides", "families", "message"),
    [
        ([], ["grpo", "ppo"], r"families \['ppo'\] are unknown: valid are \['grpo', "),
        (["variant=maspo"], [], "variant='maspo' is not valid: it must be left out"),
        (["train.steps=30", "train.snapshots=[]"], [], "ends with 30: train.steps=30"),
        (["search.trials=0"], [], "at least 1"),
    ],
)
def test_a_bad_command_makes_nothing(tmp_path, overrides, families, message):
    with pytest.raises(ConfigError, match=message):
        run_search([f"results={tmp_path}/out", *overrides], families)
    assert list(tmp_path.iterdir()) == []


def test_without_optuna_the_command_says_how_to_install_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ConfigError, match=r"needs Optuna .*pip install .*\[search\]"):
        import_optuna()
    with pytest.raises(ConfigError, match="needs Optuna"):
        run_search([f"results={tmp_path}/out"])
    assert list(tmp_path.iterdir()) == []


def test_a_plan_tells_the_cost_and_makes_nothing(tmp_path, capsys):
    words = [f"results={tmp_path}/out", "search.trials=10", "search.seeds=3"]
    assert run_search(words, ["grpo", "gate"], plan=True) is None
    told = capsys.readouterr().out
    # two families, three seeds: 60 + 9 x 15; 10 x 15 + 5 x 15 + 2 x 30; 10 x 60
    assert "1,170 to 3,600 RL steps, 1,710 if exactly one of 2 goes on" in told
    assert "2 families x 10 trials" in told
    assert list(tmp_path.iterdir()) == []


def test_all_families_are_offered_and_begin_with_their_own_settings():
    search = load_search([], load_experiment())
    assert list(search.families) == ["grpo", "clip_higher", "sapo", "maspo", "gate"]
    assert "5 families x 24 trials" in cost(search)
    for family, space in search.families.items():
        check_space(family, space)
        assert node(family, space, usual(family, space)) == objective_settings(family)
    changed = node("grpo", search.families["grpo"], {"clip": 0.1})
    assert (changed["clip_low"], changed["clip_high"]) == (0.1, 0.1)


def test_a_family_is_a_file_and_no_changed_one():
    with pytest.raises(ConfigError, match=r"family 'maspo_alpha_0\.5' is unknown: valid are"):
        check_space("maspo_alpha_0.5", load_search([], load_experiment()).families["maspo"])


def test_the_overrides_of_the_search_are_told_from_the_experiments():
    own = ["search=gates", "search.trials=3", "+search.families.grpo.x={low:1,high:2}"]
    others = ["scale=smoke", "train.lr=1e-4"]
    assert split_overrides([own[0], *others, *own[1:]]) == (own, others)
