"""`configs/claims.yaml` is checked strictly, and every refusal names the place."""

import pytest
import yaml
from fabricate import settings

from maspo.config import options
from maspo.errors import ConfigError
from maspo.reporting.analysis import claims_path, load_analysis
from maspo.reporting.claims_file import load_claims


@pytest.fixture
def content():
    return yaml.safe_load(claims_path().read_text())


def write(tmp_path, content):
    path = tmp_path / "claims.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (lambda c: c.pop("source"), ["above_grpo", "source"]),
        (lambda c: c.update(source=" "), ["above_grpo", "source is empty"]),
        (lambda c: c.update(kind="guess"), ["guess", "check"]),
        (lambda c: c.update(margin=1), ["margin"]),
        (lambda c: c.update(parts=[]), ["parts"]),
        (lambda c: c["parts"][0].update(statistic="vibe"), ["vibe", "best_inside"]),
        (lambda c: c["parts"][0].update(study="gamma"), ["gamma", "alpha"]),
        (lambda c: c["parts"][0].update(metric="f1"), ["f1", "avg"]),
        (lambda c: c["parts"][0].update(window=3), ["window", "reference"]),
        (lambda c: c["parts"][0].pop("reference"), ["reference"]),
        (lambda c: c["parts"][0].pop("above"), ["above", "below"]),
        (lambda c: c["parts"][0].update(below=1.0), ["above", "below"]),
        (lambda c: c["parts"][0].pop("margin"), ["above_grpo", "difference", "margin=None"]),
        (lambda c: c["parts"][0].update(margin=0), ["margin=0", "above 0"]),
        (lambda c: c["parts"][0].update(margin=-0.01), ["margin=-0.01", "above 0"]),
        (lambda c: c["parts"][0].update(margin=1), ["margin=1 ", "fraction", "below 1"]),
        (lambda c: c["parts"][0].update(margin="1 point"), ["margin='1 point'", "fraction"]),
        (lambda c: c["parts"][0].update(margin=True), ["margin=True"]),
        (lambda c: c["parts"][0].update(margin=float("nan")), ["margin=nan"]),
        (lambda c: c["parts"][0].update(above=0.02), ["margin=0.01", "0.02", "a margin itself"]),
    ],
)
def test_a_bad_claim_is_refused_by_name(tmp_path, content, change, named):
    change(content["claims"][0])
    with pytest.raises(ConfigError) as error:
        load_claims(write(tmp_path, content))
    for word in [*named, "claims.yaml"]:
        assert word in str(error.value)


@pytest.mark.parametrize(
    ("claim", "change", "named"),
    [
        ("final_entropy", {"unit": "bits"}, ["bits", "nats"]),
        ("final_entropy", {"margin": 0}, ["margin=0", "nats"]),
        ("sample_efficiency", {"margin": "3 steps"}, ["margin='3 steps'", "fraction"]),
        ("unilateral_gate", {"margin": 10}, ["margin=10", "share", "below 1"]),
        ("robust", {"margin": 0.01}, ["margin=0.01", "0.02", "a margin itself"]),
    ],
)
def test_units_and_margins_fit_the_statistic(tmp_path, content, claim, change, named):
    (entry,) = [entry for entry in content["claims"] if entry["id"] == claim]
    entry["parts"][0].update(change)
    with pytest.raises(ConfigError) as error:
        load_claims(write(tmp_path, content))
    for word in [claim, *named]:
        assert word in str(error.value)


def test_margins_of_steps_and_nats_may_exceed_one():
    margins = {part.name: part.margin for claim in load_claims() for part in claim.parts}
    assert margins["steps_saved"] == 3
    assert (margins["largest_shift"], margins["collapse_rate"]) == (None, 0.1)


@pytest.mark.parametrize(
    ("section", "change", "named"),
    [
        ("collapse", {"reward_share": 1.5}, ["collapse.reward_share", "1.5"]),
        ("collapse", {"solved": 0}, ["collapse.solved"]),
        ("collapse", {"window": 0}, ["collapse.window"]),
        ("collapse", {"depth": 1}, ["depth", "reward_share"]),
        ("efficiency", {"window": 2.5}, ["efficiency.window", "2.5"]),
        ("efficiency", {"rewards": [0.5, 80]}, ["efficiency.rewards", "80"]),
    ],
)
def test_bad_settings_are_refused_by_name(tmp_path, content, section, change, named):
    content[section].update(change)
    with pytest.raises(ConfigError) as error:
        load_analysis(settings().statistics, write(tmp_path, content))
    for word in named:
        assert word in str(error.value)


def test_sections_and_ids_are_checked(tmp_path, content):
    content["claims"].append(content["claims"][0])
    with pytest.raises(ConfigError, match=r"above_grpo.*twice"):
        load_claims(write(tmp_path, content))
    del content["collapse"]
    (tmp_path / "other").mkdir()
    with pytest.raises(ConfigError, match="must hold"):
        load_claims(write(tmp_path / "other", content))


def test_studies_of_claims_exist():
    named = {name for claim in load_claims() for part in claim.parts for name in part.studies}
    assert named <= set(options("study"))
    assert {"main", "alpha", "beta", "ablation", "random_reward"} <= named
