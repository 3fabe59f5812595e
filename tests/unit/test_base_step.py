"""The base step: a published policy taken as it is, or after lessons of its own seed."""

import pytest
import torch

from maspo.config import load_experiment
from maspo.files import read_json, read_json_lines
from maspo.layout import Layout
from maspo.policy import build_policy, build_tokenizer, load_policy, save_policy
from maspo.steps.base import base
from maspo.steps.data import data
from tests.conftest import ARCHITECTURE

TAUGHT = ["model.supervised.steps=5", "model.supervised.lr=0.01"]


@pytest.fixture
def run(tmp_path):
    """Return a function that makes a base policy at scale smol from a small published one."""
    task = load_experiment(["scale=smol"]).task
    tokenizer = build_tokenizer(task.characters)
    wide = {**ARCHITECTURE, "max_position_embeddings": 128}
    save_policy(tmp_path / "published", build_policy(wide, tokenizer, 7), tokenizer)
    fixed = ["scale=smol", f"results={tmp_path / 'results'}", "task.max_prompt_tokens=128"]
    fixed += [f"model.path={tmp_path / 'published'}"]
    data(load_experiment(fixed))
    layout = Layout(tmp_path / "results")

    def make(*overrides):
        experiment = load_experiment([*fixed, *overrides])
        base(experiment)
        folder = layout.base(experiment.base_seed)
        policy, _ = load_policy(folder / "policy")
        weights = torch.cat([weight.detach().flatten() for weight in policy.parameters()])
        return folder, read_json(folder / "manifest.json"), weights

    make.published, _ = load_policy(tmp_path / "published")
    return make


def weights_of(policy):
    return torch.cat([weight.detach().flatten() for weight in policy.parameters()])


def test_lessons_change_a_published_policy_by_the_seed(run):
    folder, manifest, first = run("seed=1", *TAUGHT)
    assert folder.name == "seed_1"
    assert manifest["seeds"] == {"base": 1}
    assert list(manifest["inputs"]) == ["data/lessons.parquet"]
    names = {"policy", "metrics.jsonl", "timings.jsonl", "knowledge.csv"}
    assert {name.rpartition("/")[2] for name in manifest["outputs"]} == names
    assert manifest["settings"]["supervised"]["steps"] == 5
    assert manifest["settings"]["resolved_revision"] is None
    rows = read_json_lines(folder / "metrics.jsonl")
    assert [row["step"] for row in rows] == [5]
    assert not torch.equal(first, weights_of(run.published))
    _, _, again = run("seed=1", *TAUGHT)
    _, _, other = run("seed=2", *TAUGHT)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_without_lessons_it_is_taken_as_it_is_for_all_seeds(run):
    folder, manifest, weights = run("seed=3", "model.supervised=null")
    assert folder.name == "seed_0"
    assert (manifest["seeds"], manifest["inputs"]) == ({}, {})
    assert [name.rpartition("/")[2] for name in manifest["outputs"]] == ["policy"]
    assert torch.equal(weights, weights_of(run.published))
