"""What ``snakemake --config`` asks for, as overrides of the experiment."""

import shlex

import pytest

from maspo.config import (
    changes,
    chosen,
    load_experiment,
    overrides_of,
    setting_of,
    workflow_command,
)
from maspo.errors import ConfigError


def test_keys_become_overrides():
    config = {"scale": "smoke", "seeds": 3, "studies": "main, alpha", "overrides": "train.lr=1e-4"}
    assert overrides_of(config) == [
        *("scale=smoke", "train.lr=1e-4", "seeds=3", "studies=[main,alpha]")
    ]
    experiment = load_experiment(overrides_of({"scale": "smoke", "variants": "grpo@lr_0.0001"}))
    assert (experiment.variants, experiment.suite) == (["grpo@lr_0.0001"], "custom")


@pytest.mark.parametrize(
    ("suite", "overrides", "command"),
    [
        ("default", [], ""),
        ("default", ["seeds=3", "studies=[main,alpha]"], " studies=main,alpha seeds=3"),
        ("custom", ["variants=[grpo,maspo@lr_0.001]"], " variants=grpo,maspo@lr_0.001"),
        ("full", ["full={head_to_head:18}"], ' overrides="full={head_to_head:18}"'),
        (
            "full",
            ["results=results/fresh", "first_seed=13", "sampler=fused", "train.snapshots=[3]"],
            ' overrides="results=results/fresh first_seed=13 sampler=fused train.snapshots=[3]"',
        ),
        ("default", ["results='/tmp/my runs'"], """ overrides='results="/tmp/my runs"'"""),
    ],
)
def test_an_experiment_is_told_as_the_command_that_makes_it(suite, overrides, command):
    experiment = load_experiment(["scale=mini", f"suite={suite}", *overrides])
    told = workflow_command(experiment, suite, chosen(experiment), changes(experiment))
    full = "full " if suite == "full" else ""
    assert told == f"snakemake --cores all {full}--config scale=mini{command}"
    keys = dict(word.split("=", 1) for word in shlex.split(told)[5 if full else 4 :])
    assert load_experiment([*overrides_of(keys), f"suite={suite}"]) == experiment


@pytest.mark.parametrize("name", ["maspo_alpha_[1,2", "maspo_alpha_&id 0.5", "a'b", "a\\\\", ""])
def test_names_reach_the_experiment_as_they_are(name):
    overrides = overrides_of({"scale": "smoke", "variants": f"grpo,{name}"})
    assert load_experiment(overrides).variants == ["grpo", *name.split(",")]


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"overrides": "suite=full"}, ["suite", "rules of the workflow"]),
        ({"overrides": "train.lr=1 seed=3"}, ["seed is", "rules of the workflow"]),
        ({"overrides": "variant=grpo"}, ["variant is", "rules of the workflow"]),
        ({"overrides": "tables_of=main"}, ["tables_of", "rules of the workflow"]),
        ({"overrides": "+seed=3"}, ["seed is", "rules of the workflow"]),
        ({"overrides": "scale=gpu"}, ["--config scale=..."]),
        ({"overrides": "seeds=2", "seeds": 3}, ["--config seeds=...", "once"]),
        (
            {"overrides": "results=it's"},
            ["cannot be split", "No closing quotation"],
        ),
        ({"studies": "main", "variants": "grpo"}, ["studies", "variants", "custom"]),
    ],
)
def test_what_would_be_ignored_is_refused(config, named):
    with pytest.raises(ConfigError) as error:
        overrides_of({"scale": "smoke", **config})
    for word in named:
        assert word in str(error.value)


def test_a_setting_is_known_behind_any_sign():
    assert [setting_of(text) for text in ("a.b=1", "+a.b=1", "~a.b", "++a=b=c")] == [
        *("a.b", "a.b", "a.b", "a")
    ]
