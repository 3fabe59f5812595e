"""Real trials at scale smoke: the same bits as a plain run, and every record of them."""

import json
from dataclasses import replace

import pandas as pd
import pytest
from config_sources import lacks_reason, source_of
from omegaconf import OmegaConf

from maspo.config import load_experiment, scheduled_from
from maspo.determinism import make_deterministic
from maspo.errors import ConfigError
from maspo.files import read_json_lines
from maspo.layout import Layout
from maspo.policy import build_tokenizer, load_policy
from maspo.sampling.make import make_sampler
from maspo.search.__main__ import run_search
from maspo.search.space import node
from maspo.tasks import read_problems
from maspo.tasks.kinds import task_kind
from maspo.tasks.problems import write_problems
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.loop import Trainer
from maspo.verifier import Verifier

pytest.importorskip("optuna")
SMALL = ["search.trials=3", "search.rungs=[2,4]", "search.window=2", "search.seeds=1"]
SETTINGS = ["scale=smoke", "train.steps=4", "train.snapshots=[]", "train.rollouts_mb=null"]


@pytest.fixture(scope="module")
def results(tmp_path_factory, half_trained):
    """A results folder with training problems and one base policy."""
    layout = Layout(tmp_path_factory.mktemp("search") / "results")
    experiment = load_experiment(["scale=smoke"])
    make_deterministic(experiment.threads)
    half_trained(experiment, build_tokenizer(experiment.task.characters), layout.base(101))
    training = task_kind(experiment.task).make(experiment.task).training
    layout.data.mkdir()
    write_problems(layout.problems("train"), training)
    return layout


@pytest.fixture(scope="module")
def folder(results):
    """The records of a search of two families, of which one was searched before."""
    run_search([*SETTINGS, *SMALL, f"results={results.root}"], ["grpo"])
    return run_search([*SETTINGS, *SMALL, f"results={results.root}"], ["grpo", "gate"])


def log_of(folder, family, trial):
    return read_json_lines(folder / family / f"trial_{trial:03d}" / "seed_101" / "metrics.jsonl")


def plain(results, folder, family, settings):
    """Train without a halt; return the log."""
    experiment = replace(
        load_experiment([*SETTINGS, f"results={results.root}"]), variant=family, seed=101
    )
    policy, tokenizer = load_policy(results.base(101) / "policy", experiment.model.dtype)
    problems = read_problems(results.problems("train"))
    with (
        Verifier(rules=experiment.task.extraction) as verifier,
        make_sampler(experiment, policy, tokenizer) as sampler,
    ):
        objective = scheduled_from(settings, family)
        parts = (policy, tokenizer, problems, sampler, verifier, objective)
        Trainer.of(experiment, *parts).train(CheckpointFolder(folder, "x"), "plain")
    return read_json_lines(folder / "metrics.jsonl")


def test_every_trial_is_recorded(folder):
    table = pd.read_csv(folder / "trials.csv")
    assert list(table["family"]) == ["grpo"] * 3 + ["gate"] * 3
    assert list(table["trial"]) == [0, 1, 2] * 2
    assert table["state"].eq("complete").equals(table["steps"].eq(4))
    for row in table.itertuples():
        log = log_of(folder, row.family, row.trial)
        assert len(log) == row.steps
        for rung in (2, 4)[: row.steps // 2]:
            mean = sum(step["accuracy"] for step in log[rung - 2 : rung]) / 2
            assert getattr(row, f"accuracy_{rung}") == pytest.approx(mean)
    assert not list(folder.glob("checkpoints/*/"))


def test_a_trial_is_the_run_of_its_settings_bit_by_bit(folder, results, tmp_path):
    """Halting at rungs changes nothing, nor do the trials before it."""
    table = pd.read_csv(folder / "trials.csv").query("family == 'gate' and trial != 0")
    row = table.sort_values("steps").iloc[-1]
    search = json.loads((folder / "manifest.json").read_text())["settings"]["search"]
    ranges = {name: OmegaConf.create(r) for name, r in search["families"]["gate"].items()}
    chosen = {name: row[name] for name in ranges}
    chosen["bilateral"] = str(chosen["bilateral"]) == "True"
    whole = plain(results, tmp_path, "gate", node("gate", ranges, chosen))
    assert log_of(folder, "gate", row["trial"]) == whole[: row["steps"]]


def test_the_best_are_objectives(folder):
    table = pd.read_csv(folder / "trials.csv")
    for family in ("grpo", "gate"):
        file = OmegaConf.to_container(OmegaConf.load(folder / "best" / f"{family}_searched.yaml"))
        text = (folder / "best" / f"{family}_searched.yaml").read_text()
        assert all(source_of(line) and not lacks_reason(line) for line in text.splitlines())
        assert file.pop("defaults") == [family, "_self_"]
        complete = table[(table["family"] == family) & (table["state"] == "complete")]
        winner = complete.loc[complete["accuracy_4"].idxmax()]
        if family == "grpo":
            assert file == {"clip_low": winner["clip"], "clip_high": winner["clip"]}
        else:
            assert (file["alpha"], file["beta_low"]) == (winner["alpha"], winner["beta"])
            assert file["distance"] == winner["distance"]
    assert "| GRPO | " in (folder / "search.md").read_text()


def test_a_second_time_nothing_is_trained(folder, results, monkeypatch, capsys):
    before = (folder / "trials.csv").read_bytes()
    monkeypatch.setattr(Trainer, "of", lambda *arguments: pytest.fail("a trial was trained"))
    run_search([*SETTINGS, *SMALL, f"results={results.root}"], ["grpo", "gate"])
    assert (folder / "trials.csv").read_bytes() == before
    assert "RL steps were trained" in capsys.readouterr().out


def test_problems_that_would_recur_are_refused(results):
    words = [*SETTINGS, *SMALL, f"results={results.root}", "train.prompts_per_batch=256"]
    with pytest.raises(ConfigError, match="a run reads 1024 problems, and there are 512"):
        run_search(words, ["grpo"])
