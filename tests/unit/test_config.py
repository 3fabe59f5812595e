"""Settings: bad ones are refused by name, good ones carry their source."""

import re

import pytest
from omegaconf import OmegaConf

from maspo.config import (
    as_dict,
    build_objective,
    config_dir,
    load_experiment,
    objective_settings,
    options,
    sweep_variants,
)
from maspo.errors import ConfigError

SOURCE = re.compile(
    r"#\s*(paper|released (code|README|script)|not published|assumed|structure"
    r"|[A-Z][\w. -]+)"  # a named publication
)


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["scale=smok"], ["smok", "mini", "smoke"]),
        (["train=nope"], ["nope", "mini"]),
        (["train.lrr=1"], ["train.lrr", "max_grad_norm"]),
        (["trian.lr=1"], ["trian.lr", "evaluate"]),
        (["task.lengths=[2]"], ["task.lengths", "benchmark_lengths"]),
        (["model.supervised.step=1"], ["model.supervised.step", "error_rate"]),
        (["train.lr=fast"], ["train.lr", "fast", "Float"]),
        (["evaluate.samples=1.5"], ["evaluate.samples", "1.5", "Integer"]),
        (["train.normalize_std=maybe"], ["train.normalize_std", "maybe", "bool"]),
        (["train.lr=-1"], ["train.lr", "-1", "positive"]),
        (["train.updates_per_batch=7"], ["train.updates_per_batch", "7", "32"]),
        (["train.group_size=1"], ["train.group_size", "at least 2"]),
        (["task.benchmark_lengths=[1]"], ["task.benchmark_lengths", "2 terms"]),
        (["evaluate.top_p=0"], ["evaluate.top_p", "(0, 1]"]),
        (["task.kind=riddle"], ["task.kind", "riddle", "chain"]),
        (["train.lr"], ["train.lr"]),
    ],
)
def test_bad_overrides_are_refused_by_name(overrides, named):
    with pytest.raises(ConfigError) as error:
        load_experiment(overrides)
    for word in named:
        assert word in str(error.value)


def test_overrides_reach_the_experiment():
    experiment = load_experiment(["scale=smoke", "train.lr=1e-4", "seeds=3", "variant=maspo"])
    assert (experiment.train.lr, experiment.seeds, experiment.variant) == (1e-4, 3, "maspo")
    assert experiment.results == "results/smoke"
    assert load_experiment(["scale=smoke"]).train.lr == 3e-5


def test_smoke_differs_from_mini_only_in_size():
    sizes = {"scale", "results", "seeds", "sweeps"}
    small, full = (as_dict(load_experiment([f"scale={scale}"])) for scale in ("smoke", "mini"))
    assert {key for key in full if key not in sizes} == {key for key in small if key not in sizes}
    assert small["model"]["architecture"] == full["model"]["architecture"]
    assert small["train"]["lr"] == full["train"]["lr"]
    assert small["train"]["steps"] < full["train"]["steps"]


def test_a_variant_is_a_file_or_one_changed_field():
    maspo = objective_settings("maspo")
    changed = objective_settings("maspo_alpha_0.5")
    assert changed == {**maspo, "alpha": 0.5}
    assert maspo["alpha"] == 0.3
    assert objective_settings("maspo_beta_0.1") == {**maspo, "beta_high": 0.1, "beta_low": 0.1}
    assert isinstance(objective_settings("maspo_alpha_1")["alpha"], float)
    assert type(objective_settings("dr_grpo_max_tokens_44")["max_tokens"]) is int
    assert objective_settings("maspo_no_mass")["alpha"] == 0


@pytest.mark.parametrize(
    ("variant", "named"),
    [
        ("mapso", ["mapso", "maspo", "grpo"]),
        ("maspo_gamma_1", ["gamma", "alpha"]),
        ("maspo_alpha_x", ["alpha", "x"]),
        ("maspo_alpha_-1", ["alpha", "-1"]),
        ("grpo_clip_low_2.0", ["clip_low"]),
    ],
)
def test_bad_variants_are_refused_by_name(variant, named):
    with pytest.raises(ConfigError) as error:
        build_objective(variant)
    for word in named:
        assert word in str(error.value)


def test_every_sweep_names_valid_variants():
    for sweep in options("sweep"):
        variants = sweep_variants(sweep)
        assert len(variants) == len(set(variants)) >= 2
        for variant in variants:
            build_objective(variant)
    with pytest.raises(ConfigError, match="alpha"):
        sweep_variants("gamma")


def test_every_value_carries_its_source():
    for path in config_dir().rglob("*.yaml"):
        assert OmegaConf.load(path) is not None
        in_defaults = False
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            if not line.startswith((" ", "-")):
                in_defaults = line.startswith("defaults:")
            value = re.match(r"\s*[\w.+/@-]+:\s*(\S.*)", line)
            if in_defaults or not value or value[1].startswith("#"):
                continue
            assert SOURCE.search(line), f"{path.name}:{number} names no source: {line}"
