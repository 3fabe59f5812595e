"""Variants, studies and suites: each has one name, and what cannot be is refused by name."""

import re
import shutil
import sys

import pytest
from omegaconf import OmegaConf

from maspo.config import (
    build_objective,
    config_dir,
    load_experiment,
    load_study,
    load_suite,
    objective_settings,
    options,
)
from maspo.config.files import compose_raw
from maspo.errors import ConfigError


def test_a_variant_is_a_file_or_one_changed_field():
    maspo = objective_settings("maspo")
    changed = objective_settings("maspo_alpha_0.5")
    assert changed == {**maspo, "alpha": 0.5}
    assert maspo["alpha"] == 0.3
    assert objective_settings("maspo_beta_0.1") == {**maspo, "beta_high": 0.1, "beta_low": 0.1}
    assert isinstance(objective_settings("maspo_alpha_1")["alpha"], float)
    assert type(objective_settings("dr_grpo_max_tokens_44")["max_tokens"]) is int
    assert objective_settings("maspo_no_mass")["alpha"] == 0
    assert objective_settings("dr_grpo_dual_clip_None")["dual_clip"] is None
    assert objective_settings("maspo_bilateral_True") == objective_settings("maspo_bilateral")


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        ("maspo_alpha_0.50", "maspo_alpha_0.5"),
        ("maspo_alpha_.5", "maspo_alpha_0.5"),
        ("maspo_alpha_5e-1", "maspo_alpha_0.5"),
        ("maspo_alpha_+0.5", "maspo_alpha_0.5"),
        ("maspo_alpha_1", "maspo_alpha_1.0"),
        ("maspo_alpha_0.3", "maspo"),
        ("maspo_beta_0.03", "maspo"),
        ("maspo_alpha_0.0", "maspo_no_mass"),
        ("maspo_beta_0", "maspo_no_risk"),
        ("maspo_bilateral_true", "maspo_bilateral"),
        ("maspo_no_mass_alpha_0.3", "maspo"),
        ("maspo_no_mass_alpha_0.5", "maspo_alpha_0.5"),
        ("maspo_sigma_max_null", "maspo_sigma_max_None"),
        ("dr_grpo_max_tokens_25.0", "dr_grpo_max_tokens_25"),
        ("grpo_clip_low_0.2", "grpo"),
        ("entropy_adv_alpha_-0.0", "entropy_adv_alpha_0.0"),
        ("grpo@lr_1e-4", "grpo@lr_0.0001"),
        ("grpo@normalize_std_false", "grpo@normalize_std_False"),
        ("grpo@logits_chunk_null", "grpo"),
        ("grpo@group_size_4.0", "grpo@group_size_4"),
        ("maspo_alpha_0.50@lr_0.0003", "maspo_alpha_0.5"),
    ],
)
def test_equal_settings_have_one_name(variant, name):
    with pytest.raises(ConfigError, match=re.escape(f"{variant!r} is written {name!r}")):
        load_experiment([f"variant={variant}"])
    assert load_experiment([f"variant={name}"]).variant == name


@pytest.mark.parametrize(
    "variant",
    [
        *("maspo_alpha_&id 0.5", "maspo_alpha_0.5 ", " maspo", "maspo_alpha_[1,2", "maspo_alpha_!"),
        *("maspo_alpha_'0.5'", "maspo_alpha_\N{ARABIC-INDIC DIGIT FIVE}", "maspo/../grpo", "grpo@"),
        *("grpo@lr_1e-4@", "grpo@@lr_0.0001", "{maspo}", "$(id)", "maspo;id", "maspo\n"),
    ],
)
def test_other_characters_are_no_name(variant):
    with pytest.raises(ConfigError, match="is no name: it may have letters, digits"):
        objective_settings(variant)


def test_a_name_imports_nothing(monkeypatch):
    monkeypatch.delitem(sys.modules, "this", raising=False)
    for variant in ("grpo__target__this.x", "grpo__target__this", "grpo_target_this.x"):
        with pytest.raises(ConfigError, match="variant"):
            build_objective(variant)
    assert "this" not in sys.modules


@pytest.mark.parametrize(
    ("variant", "named"),
    [
        ("mapso", ["mapso", "maspo", "grpo"]),
        ("maspo_gamma_1", ["gamma", "alpha"]),
        ("maspo_alpha_x", ["alpha", "x"]),
        ("maspo_alpha_-1", ["maspo_alpha_-1': Maspo.alpha must be a number at least 0, got -1.0"]),
        ("maspo_alpha_True", ["'True' is no value of 'alpha'"]),
        ("maspo_bilateral_1", ["'1' is no value of 'bilateral'"]),
        ("grpo_clip_low_2.0", ["clip_low"]),
    ],
)
def test_bad_variants_are_refused_by_name(variant, named):
    with pytest.raises(ConfigError) as error:
        build_objective(variant)
    for word in named:
        assert word in str(error.value)


@pytest.mark.slow
def test_every_study_names_valid_variants():
    experiment = load_experiment()
    for name in options("study"):
        study = load_study(name, 2, experiment)
        assert len(study.variants) == len(set(study.variants)) >= 2
        assert len(study.runs) == 2 * len(study.variants)
        for variant in study.variants:
            build_objective(variant)
            load_experiment([f"variant={variant}"])


def test_a_study_crosses_its_objectives_with_conditions():
    mini = load_experiment(["scale=mini", "train.lr=3e-5"])
    study = load_study("learning_rate", 3, mini)
    steady = "lr_schedule_constant"
    assert f"maspo@lr_0.0001@{steady}" in study.variants
    pair = (f"maspo@lr_0.0001@{steady}", f"grpo@lr_0.0001@{steady}")
    assert pair in study.pairs
    # At the scale's own rate only the schedule is named.
    usual = load_study("learning_rate", 3, load_experiment(["scale=mini", "train.lr=1e-4"]))
    assert f"maspo@{steady}" in usual.variants
    assert f"maspo@lr_0.0001@{steady}" not in usual.variants
    assert (f"sapo@{steady}", f"grpo@{steady}") in usual.pairs


def test_each_method_at_its_own_rate_is_compared_with_the_only_reference():
    study = load_study("tuned", 2, load_experiment(["scale=mini"]))
    reference = "grpo@lr_schedule_constant"
    assert {second for _, second in study.pairs} == {reference}
    assert ("clip_higher@lr_0.0002@lr_schedule_constant", reference) in study.pairs
    assert study.runs_of(reference) == [(reference, 3), (reference, 4)]


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        (["maspo@lr_0.0003"], "is written 'maspo' at this scale"),
        (["grpo@lr_4e-4"], "is written 'grpo@lr_0.0004'"),
        (["grpo@lr_schedule_constant@lr_0.0004"], "'grpo@lr_0.0004@lr_schedule_constant'"),
        (["grpo@lr_0.0004@lr_0.0005"], "is written 'grpo@lr_0.0005'"),
        (["grpo@lr_abc"], "'abc' is no value of train.lr"),
        (["grpo@betas_0.9"], "'0.9' is no value of train.betas"),
        (["grpo@steps_1.5"], "'1.5' is no value of train.steps"),
        (["grpo@lr_inf"], "train.lr=inf"),
        (["maspo", "maspo_alpha_0.3"], "'maspo_alpha_0.3' is written 'maspo'"),
        (["grpo@problems_none"], "train.problems"),
        (["grpo@lr_schedule_cosine"], "constant or linear"),
        (["grpo@steps_10"], "train.snapshots"),
        (["grpo@lr_0.0001", "grpo@lr_0.0002", "maspo"], "there are several others"),
    ],
)
def test_a_run_has_one_name_and_one_reference(variants, message):
    experiment = load_experiment(["scale=mini", f"variants=[{','.join(variants)}]"])
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_suite(experiment)


def test_an_own_list_is_compared_under_the_same_conditions():
    names = "grpo,grpo@lr_0.0006,maspo@lr_0.0006"
    study = load_suite(load_experiment(["scale=mini", f"variants=[{names}]"]))["custom"]
    assert ("maspo@lr_0.0006", "grpo@lr_0.0006") in study.pairs


@pytest.fixture
def own_study(tmp_path, monkeypatch):
    """Return a function that adds a study file to a copy of the configuration."""
    shutil.copytree(config_dir(), tmp_path / "configs")
    monkeypatch.setenv("MASPO_CONFIGS", str(tmp_path / "configs"))

    def write(text):
        (tmp_path / "configs" / "study" / "own.yaml").write_text(text)

    return write


OWN = "title: Own\nobjectives: [grpo, maspo]\nreference: grpo\n"


def test_a_study_may_have_seeds_of_its_own(own_study):
    own_study(OWN + "first_seed: 11\ntrain: {lr: [0.001, 0.0003]}\n")
    study = load_suite(load_experiment(["scale=mini", "studies=[own]", "seeds=2"]))["own"]
    assert study.variants == ("grpo@lr_0.001", "maspo@lr_0.001", "grpo", "maspo")
    assert study.runs_of("maspo") == [("maspo", 11), ("maspo", 12)]
    assert study.runs_of("base") == [("base", 11), ("base", 12)]
    assert study.runs == [(variant, seed) for variant in study.variants for seed in (11, 12)]
    assert study.policies == [("base", 11), ("base", 12), *study.runs]
    assert study.pairs == [("maspo@lr_0.001", "grpo@lr_0.001"), ("maspo", "grpo")]


def test_an_experiment_may_begin_at_a_later_seed(own_study):
    own_study(OWN + "first_seed: 11\n")
    chosen = ["scale=mini", "studies=[own, main]", "seeds=2", "first_seed=13"]
    studies = load_suite(load_experiment(chosen))
    assert studies["main"].runs_of("maspo") == [("maspo", 13), ("maspo", 14)]
    assert studies["main"].base_seeds == (13, 14)
    # A study behind the seeds of another one stays behind them.
    assert studies["own"].runs_of("maspo") == [("maspo", 23), ("maspo", 24)]
    with pytest.raises(ConfigError, match="first_seed=0"):
        load_experiment(["scale=mini", "first_seed=0"])


def test_a_published_policy_is_one_for_all_seeds(own_study):
    own_study(OWN + "first_seed: 11\n")
    study = load_study("own", 3, load_experiment(["scale=gpu"]))
    assert study.policies[:2] == [("base", 0), ("grpo", 11)]
    assert study.base_seeds == (0,)
    assert load_experiment(["scale=gpu", "seed=11"]).base_seed == 0
    assert load_experiment(["scale=mini", "seed=11"]).base_seed == 11
    assert load_experiment(["scale=mini"]).base_seed == 1
    assert load_experiment(["scale=smol", "seed=11"]).base_seed == 11


@pytest.mark.parametrize(
    ("lines", "named"),
    [
        ("first_seed: 0", ["own.yaml", "first_seed=0", "at least 1"]),
        ("first_seed: many", ["own.yaml", "first_seed", "many"]),
        ("seeds: 3", ["own.yaml", "seeds"]),
        ("train: {lrr: [1]}", ["own.yaml", "lrr", "lr_schedule"]),
        ("train: {lr: [fast]}", ["own.yaml", "'fast' is no value of train.lr"]),
        ("train: {lr: [.inf]}", ["grpo@lr_inf", "train.lr=inf", "finite"]),
        ("train: {betas: [[0.9, 0.95]]}", ["own.yaml", "[0.9, 0.95]", "train.betas"]),
        ("train: {lr: [1.0e-4, 0.0001]}", ["own", "twice", "grpo@lr_0.0001"]),
        ("policy: pretrained", ["'own'", "model.kind=pretrained", "scale mini", "kind=built"]),
    ],
)
def test_a_bad_study_file_is_refused_by_name(own_study, lines, named):
    own_study(OWN + lines + "\n")
    with pytest.raises(ConfigError) as error:
        load_suite(load_experiment(["scale=mini", "studies=[own]"]))
    for word in named:
        assert word in str(error.value)


def test_a_study_names_runs_as_a_variant_must(own_study):
    own_study(
        "title: Own\nobjectives: [grpo, maspo_alpha_0.3, maspo_alpha_0.50]\n"
        "reference: maspo_alpha_0.3\ntrain: {normalize_std: [false], lr: [1e-4]}\n"
    )
    study = load_suite(load_experiment(["scale=mini", "studies=[own]"]))["own"]
    end = "@lr_0.0001@normalize_std_False"
    assert study.variants == (f"grpo{end}", f"maspo{end}", f"maspo_alpha_0.5{end}")
    assert study.reference == "maspo"


def test_a_file_that_changes_another_takes_over_its_name(own_study):
    objectives = config_dir() / "objective"
    (objectives / "wide.yaml").write_text("defaults: [maspo, _self_]\nalpha: 0.5\n")
    (objectives / "copy.yaml").write_text((objectives / "maspo.yaml").read_text())
    with pytest.raises(ConfigError, match=r"'maspo_alpha_0\.5' is written 'wide'"):
        load_experiment(["variant=maspo_alpha_0.5"])
    for name in ("wide", "copy", "maspo", "copy_alpha_0.5", "maspo_alpha_0.7"):
        assert load_experiment([f"variant={name}"]).variant == name


def test_files_of_objectives_are_what_hydra_composes():
    """They are merged without it, which takes a twentieth of the time."""
    for name in options("objective"):
        composed = OmegaConf.to_container(compose_raw([], f"objective/{name}").objective)
        assert objective_settings(name) == composed


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha: [1", "cannot be read"),
        ('alpha: "${foo"', "wrong.yaml"),
        ("null: 3", "wrong.yaml"),
        ("!!set {a, b}", "wrong.yaml"),
        ("- 1", "must hold settings"),
        ("name: caf\xe9", "cannot be read"),
        ("defaults: 5", "and _self_ at the end, got 5"),
        ("defaults: [maspo]", "_self_ at the end"),
        ("defaults: [mapso, _self_]", "_self_ at the end, got .*mapso"),
        ("defaults: [wrong, _self_]", "must be other objectives"),
        ("defaults: [back, _self_]", "must be other objectives"),
    ],
)
def test_a_faulty_file_of_an_objective_is_named(own_study, text, message):
    objectives = config_dir() / "objective"
    (objectives / "wrong.yaml").write_bytes(text.encode("latin-1"))
    (objectives / "back.yaml").write_text("defaults: [wrong, _self_]\n")
    with pytest.raises(ConfigError, match=message):
        load_experiment(["variant=wrong"])


@pytest.mark.parametrize("study", ["learning_rate", "gate", "tuned", "relatives"])
def test_studies_of_the_miniature_are_refused_elsewhere(study):
    for scale in ("gpu", "paper"):
        with pytest.raises(ConfigError) as error:
            load_suite(load_experiment([f"scale={scale}", f"studies=[{study}]"]))
        for word in (study, "model.kind=built", f"scale {scale}", "model.kind=pretrained"):
            assert word in str(error.value)
    assert load_suite(load_experiment(["scale=smoke", f"studies=[{study}]"]))[study].runs


def test_the_studies_of_full_are_replaced_as_a_whole():
    assert load_experiment(["scale=smoke"]).full == {"smoke": 2, "alpha": 1}
    assert load_experiment(["scale=mini", "full={smoke: 1}"]).full == {"smoke": 1}
    added = load_experiment(["scale=mini", "full={smoke: 1}", "+full.main=4", "full.smoke=3"])
    assert added.full == {"smoke": 3, "main": 4}
    with pytest.raises(ConfigError, match="suite 'full' has no study"):
        load_suite(load_experiment(["full={}"]), "full")


def test_a_suite_is_refused_more_problems_of_snapshots_than_there_are():
    few = load_experiment(["scale=smoke", "task.benchmark_problems=1"])
    with pytest.raises(ConfigError, match=r"evaluate\.snapshot_problems=2.* at most 1,"):
        load_suite(few)
    none = load_experiment(["scale=smoke", "task.benchmark_problems=1", "train.snapshots=[]"])
    assert load_suite(none)


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
        (["suite=custom"], ["custom", "needs variants"]),
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
