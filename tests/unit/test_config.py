"""Settings: bad ones are refused by name, good ones carry their source."""

import re

import pytest
from omegaconf import OmegaConf

from maspo.config import (
    as_dict,
    build_objective,
    config_dir,
    load_experiment,
    load_study,
    load_suite,
    objective_settings,
    options,
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
    sizes = {"scale", "results", "seeds", "studies", "full"}
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


def test_every_study_names_valid_variants():
    experiment = load_experiment()
    for name in options("study"):
        study = load_study(name, 2, experiment.train)
        assert len(study.variants) == len(set(study.variants)) >= 2
        assert len(study.runs) == 2 * len(study.variants)
        for variant in study.variants:
            build_objective(variant)
            load_experiment([f"variant={variant}"])


def test_a_study_crosses_its_objectives_with_conditions():
    train = load_experiment(["scale=mini"]).train
    study = load_study("learning_rate", 3, train)
    assert "maspo@lr_0.0001" in study.variants
    assert "maspo" in study.variants  # 3e-5 is the scale's own rate: this run is main's
    assert "maspo@lr_3e-05" not in study.variants
    assert ("maspo@lr_0.0001", "grpo@lr_0.0001") in study.pairs
    assert ("sapo", "grpo") in study.pairs


def test_a_variant_changes_the_settings_of_training():
    experiment = load_experiment(["scale=mini", "variant=grpo@lr_0.0001@reward_random"])
    assert (experiment.train.lr, experiment.train.reward) == (1e-4, "random")
    assert objective_settings("grpo@lr_0.0001") == objective_settings("grpo")


@pytest.mark.parametrize("scale", options("scale"))
def test_suites_are_studies_with_seeds(scale):
    experiment = load_experiment([f"scale={scale}"])
    default, full = (load_suite(experiment, suite) for suite in ("default", "full"))
    assert [*default] == experiment.studies
    assert {study.seeds for study in default.values()} == {experiment.seeds}
    assert {name: study.seeds for name, study in full.items()} == experiment.full
    assert set(default) <= set(full)


def test_variants_of_the_command_line_are_the_only_study():
    suite = load_suite(load_experiment(["variants=[maspo,grpo]", "seeds=3"]))
    assert [*suite] == ["custom"]
    assert suite["custom"].pairs == [("grpo", "maspo")]
    assert len(suite["custom"].runs) == 6


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["studies=[gamma]"], ["gamma", "alpha"]),
        (["+full.gamma=1", "suite=full"], ["gamma", "alpha"]),
        (["variants=[mapso]"], ["mapso", "maspo"]),
        (["suite=half"], ["half", "full"]),
        (["+full.main=0"], ["full.main", "0"]),
        (["variant=grpo@lrr_1"], ["lrr", "max_grad_norm"]),
        (["variant=grpo@lr"], ["lr", "<field of train>"]),
        (["variant=grpo@lr_fast"], ["train.lr", "fast"]),
    ],
)
def test_bad_studies_and_conditions_are_refused_by_name(overrides, named):
    with pytest.raises(ConfigError) as error:
        load_suite(load_experiment(overrides))
    for word in named:
        assert word in str(error.value)


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
