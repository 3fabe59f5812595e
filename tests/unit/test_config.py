"""Settings: bad ones are refused by name, good ones carry their source."""

import re
import shutil
import sys
from itertools import product
from pathlib import Path

import pytest
from config_sources import lacks_reason, source_of
from omegaconf import OmegaConf

from maspo.config import (
    as_dict,
    build_objective,
    config_dir,
    hydra_value,
    load_experiment,
    load_study,
    load_suite,
    objective_settings,
    options,
)
from maspo.config.engine import UNREAD
from maspo.errors import ConfigError
from maspo.integrations.verl.overrides import verl_overrides
from maspo.tasks.modular import make_modular


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["scale=smok"], ["smok", "mini", "smoke"]),
        (["train=nope"], ["nope", "mini"]),
        (["train.lrr=1"], ["train.lrr", "max_grad_norm"]),
        (["trian.lr=1"], ["trian.lr", "evaluate"]),
        (["task.lengths=[2]"], ["task.lengths", "benchmark_lengths"]),
        (["model.supervised.step=1"], ["model.supervised.step", "misconceived"]),
        (["train.lr=fast"], ["train.lr", "fast", "Float"]),
        (["evaluate.samples=1.5"], ["evaluate.samples", "1.5", "Integer"]),
        (["train.normalize_std=maybe"], ["train.normalize_std", "maybe", "bool"]),
        (["train.lr=-1"], ["train.lr", "-1", "positive"]),
        (["train.updates_per_batch=7"], ["train.updates_per_batch", "7", "64"]),
        (["train.group_size=1"], ["train.group_size", "at least 2"]),
        (["task.benchmark_lengths=[1]"], ["task.benchmark_lengths", "2 terms"]),
        (["evaluate.top_p=0"], ["evaluate.top_p", "(0, 1]"]),
        (["task.kind=riddle"], ["task.kind", "riddle", "modular"]),
        (["train.lr"], ["train.lr", "NAME=VALUE", "train.lr=1e-4"]),
        (["train.lr", "=", "1e-4"], ["'train.lr'", "NAME=VALUE", "without spaces"]),
        (["train.lr = 1e-4"], ["'train.lr = 1e-4'", "without spaces"]),
        (["=3"], ["'=3'", "NAME=VALUE"]),
        (["lr=1e-4"], ["'lr'", "did you mean model.supervised.lr or train.lr?"]),
        (["device=cpu"], ["'device'", "did you mean model.device?"]),
        (["variant=3"], ["variant '3' is unknown", "maspo"]),
        (["variant=[grpo]"], ["variant", "grpo", "string"]),
        (["variant=''"], ["variant ''", "letters"]),
        (["variant=mapso"], ["variant 'mapso'", "did you mean 'maspo'?", "grpo"]),
        (["variant=base@lr_0.0001"], ["variant 'base@lr_0.0001' is unknown"]),
        (["variants=[]"], ["variants=[]", "null"]),
        (["variants=[grpo,maspo,grpo]"], ["variants=", "twice", "['grpo']"]),
        (["studies=[main,main]"], ["studies=", "twice", "['main']"]),
        (["variants=[grpo]", "suite=default"], ["suite='default'", "custom"]),
    ],
)
def test_bad_overrides_are_refused_by_name(overrides, named):
    with pytest.raises(ConfigError) as error:
        load_experiment(overrides)
    for word in named:
        assert word in str(error.value)


FLOATS = [
    *("train.lr", "train.max_grad_norm", "train.temperature", "train.weight_decay"),
    *("train.min_lr_ratio", "train.importance_cap", "train.betas", "train.rollouts_mb"),
    *("train.false_negatives", "train.false_positives"),
    *(
        "evaluate.temperature",
        "evaluate.top_p",
        "model.supervised.lr",
        "model.supervised.max_grad_norm",
    ),
    *("model.supervised.misconceived", "model.supervised.knowledge", "task.held_out"),
    *("statistics.level", "resources.train.memory_gb"),
]


def leaves(settings, place=""):
    for name, value in settings.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{place}{name}.")
        elif isinstance(value, float) or (isinstance(value, list) and float in map(type, value)):
            yield f"{place}{name}"


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
@pytest.mark.slow
def test_every_number_is_finite(value):
    """`FLOATS` is held to what there is: a new setting must be added."""
    found = {name for name in leaves(as_dict(load_experiment())) if "architecture" not in name}
    jobs = {name for name in found if name.startswith("resources")}
    assert found - jobs <= set(FLOATS)
    for name in (*FLOATS, "model.architecture.initializer_range"):
        listed = name.endswith(("betas", "knowledge"))
        with pytest.raises(ConfigError, match=re.escape(name.split(".")[-1])):
            load_experiment([f"{name}={f'[0.9,{value}]' if listed else value}", "sampler=vllm"])


@pytest.mark.parametrize("objective", options("objective"))
def test_every_number_of_an_objective_is_finite(objective):
    settings = objective_settings(objective)
    numbers = [n for n, value in settings.items() if type(value) in (int, float, type(None))]
    assert numbers
    for name, value in product(numbers, ("inf", "nan")):
        with pytest.raises(ConfigError, match=name):
            build_objective(f"{objective}_{name}_{value}")


TERMS = ["task.train_lengths=[2]", "task.benchmark_lengths=[2]", "task.benchmark_problems=1"]


@pytest.mark.parametrize(
    ("overrides", "named"),
    [
        (["task.modulus=37"], ["task.modulus=37", "from 2 to 36"]),
        (["task.modulus=1"], ["task.modulus=1", "from 2 to 36"]),
        (["task.modulus=2"], ["task.operands=['2', '3', '4', '5', '6']", "characters of 01"]),
        (["task.operands=[v]"], ["task.operands=['v']", "0123456789abcdefghijklmnopqrstu"]),
        (["task.operands=[2,2]"], ["task.operands=['2', '2']", "different"]),
        (["task.operands=[12]"], ["task.operands=['12']", "characters"]),
        (["task.operands=['']"], ["task.operands=['']", "characters"]),
        (["task.operands=[]"], ["task.operands=[]", "characters"]),
        (["task.operators=['+','+']"], ["task.operators=['+', '+']", "different", "+*"]),
        (["task.operators=['-']"], ["task.operators=['-']", "+*"]),
        (["task.operators=[]"], ["task.operators=[]", "+*"]),
        (["task.held_out=1.0"], ["task.held_out=1.0", "[0, 1)"]),
        (["task.held_out=nan"], ["task.held_out=nan", "[0, 1)"]),
        (["task.held_out=0.96"], ["task.held_out=0.96", "at most 0.9", "10 facts"]),
        (["task.held_out=0.04"], ["task.held_out=0.04", "at least 0.1", "10 facts"]),
        (["task.operands=[2]", "task.held_out=0.2"], ["task.held_out=0.2", "at least 0.5"]),
        (["task.benchmark_problems=156"], ["task.benchmark_problems=156", "at most 155"]),
        (["task.held_out=0.9", "task.benchmark_problems=31"], ["task.held_out=0.9", "2 terms"]),
        (["task.train_lengths=[]"], ["task.train_lengths=[]", "2 terms"]),
        (["task.benchmark_lengths=[]"], ["task.benchmark_lengths=[]", "2 terms"]),
        (["task.benchmark_lengths=[2,2]"], ["task.benchmark_lengths=[2, 2]", "different"]),
        (["task.train_lengths=[2,8]"], ["task.max_prompt_tokens=14", "at least 16", "8 terms"]),
        (["task.max_completion_tokens=24"], ["task.max_completion_tokens=24", "at least 25"]),
        (["task.extraction=[]"], ["task.extraction=[]", "equals"]),
        (["task.extraction=[hash]"], ["task.extraction=['hash']", "equals"]),
        (["model.supervised.knowledge=[1]"], ["model.supervised.knowledge", "two positive"]),
        (["model.supervised.knowledge=[inf,1]"], ["model.supervised.knowledge", "two positive"]),
        (["model.supervised.misconceived=1.5"], ["model.supervised.misconceived", "[0, 1]"]),
        (["train.snapshots=[6]"], ["train.snapshots=[6]", "from 1 to 5", "train.steps=6"]),
        (["train.snapshots=[7]"], ["train.snapshots=[7]", "from 1 to 5"]),
        (["train.snapshots=[0]"], ["train.snapshots=[0]", "from 1 to 5"]),
        (["train.snapshots=[4,2]"], ["train.snapshots=[4, 2]", "rising"]),
        (["train.snapshots=[2,2]"], ["train.snapshots=[2, 2]", "rising"]),
        (["train.snapshots=null"], ["train.snapshots"]),
        (["train.steps=4"], ["train.snapshots=[2, 4]", "from 1 to 3", "train.steps=4"]),
        (["train.problems=hard"], ["train.problems='hard'", "['train', 'all']"]),
        (["train.lr_schedule=cosine"], ["train.lr_schedule='cosine'", "constant or linear"]),
        (["train.min_lr_ratio=10"], ["train.min_lr_ratio=10", "in [0, 1]"]),
        (["train.min_lr_ratio=-0.1"], ["train.min_lr_ratio=-0.1", "in [0, 1]"]),
        (["evaluate.snapshot_problems=0"], ["evaluate.snapshot_problems=0", "at least 1"]),
        (["evaluate.snapshot_problems=5"], ["evaluate.snapshot_problems=5", "at most 4"]),
    ],
)
def test_a_bad_miniature_is_refused_before_any_job(overrides, named):
    with pytest.raises(ConfigError) as error:
        load_experiment(["scale=smoke", "task.modulus=31", *overrides])
    for word in named:
        assert word in str(error.value)


# Another value of each setting of `train` that can be the only change of the paper's scale.
OTHERS = {
    **{"steps": 100, "prompts_per_batch": 256, "group_size": 6, "updates_per_batch": 8},
    **{"lr": 1e-5, "lr_schedule": "linear", "min_lr_ratio": 0.5, "betas": [0.8, 0.9]},
    **{"weight_decay": 0.1, "max_grad_norm": 2.0, "temperature": 0.5, "problems": "all"},
    **{"reward": "random", "false_negatives": 0.1, "false_positives": 0.2},
    **{"normalize_std": False, "logits_chunk": 64, "precision": "float32"},
    **{"gradient_checkpointing": False, "micro_batch_tokens": 99, "checkpoint_every": 5},
    **{"snapshots": [3], "old_policy": "sampler", "importance_cap": 2.0, "rollouts_mb": 1.0},
}


def test_verl_reads_a_setting_of_training_or_it_is_refused():
    paper = load_experiment(["scale=paper", "variant=maspo", "seed=1"])
    assert [*OTHERS] == [*as_dict(paper.train)]
    folders = [Path(name) for name in ("policy", "problems", "checkpoints")]
    usual = verl_overrides(paper, *folders)
    for name, value in OTHERS.items():
        overrides = ["scale=paper", f"train.{name}={hydra_value(value)}"]
        if name in UNREAD["verl"]:
            found = re.escape(f"does not read train.{name}={value!r}: set train.{name}=")
            with pytest.raises(ConfigError, match=found):
                load_experiment(overrides)
        elif name != "problems":  # a file that the step itself hands to verl
            changed = load_experiment([*overrides, "variant=maspo", "seed=1"])
            assert verl_overrides(changed, *folders) != usual, name


def test_what_verl_does_not_read_is_named_at_once():
    with pytest.raises(ConfigError) as error:
        load_experiment(["scale=smoke", "engine=verl"])
    wanted = str(error.value).partition(": set ")[2].split()
    assert "train.snapshots=[]" in wanted
    assert "train.precision=null" in wanted
    assert load_experiment(["scale=smoke", "engine=verl", *wanted]).engine.kind == "verl"
    for name in ("train.precision=null", "train.gradient_checkpointing=null"):
        with pytest.raises(ConfigError, match="null is for verl"):
            load_experiment(["scale=smoke", name])


@pytest.mark.parametrize("scale", options("scale"))
def test_every_scale_takes_every_sampler(scale):
    for sampler in options("sampler"):
        kind = "vllm" if sampler.startswith("vllm") else "transformers"
        assert load_experiment([f"scale={scale}", f"sampler={sampler}"]).sampler.kind == kind


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("train.problems=all", ["train.problems='all'", "['train']", "hub"]),
        ("model=mini", ["task.kind='hub'", "modular with model.kind=built"]),
    ],
)
def test_what_is_the_miniatures_alone_is_refused_elsewhere(override, named):
    with pytest.raises(ConfigError) as error:
        load_experiment(["scale=gpu", override])
    for word in named:
        assert word in str(error.value)


@pytest.mark.parametrize(
    "overrides",
    [
        ["task.modulus=2", "task.operands=[0,1]", "task.held_out=0", *TERMS],
        ["task.modulus=2", "task.operands=[1]", "task.operators=['+']", "task.held_out=0", *TERMS],
        ["task.modulus=36", "task.operands=[z,0]", "task.held_out=0.75"],
        ["task.held_out=0.9", "task.benchmark_problems=30"],
        ["task.held_out=0.1", "task.benchmark_problems=155"],
    ],
)
def test_the_smallest_and_largest_tasks_can_be_made(overrides):
    """At the limits of what is allowed the problems are found, and none is a benchmark's."""
    task = load_experiment(
        ["scale=smoke", "task.train_problems=600", "task.modulus=31", *overrides]
    ).task
    made = make_modular(task)
    asked = {p.id for problems in made.benchmarks.values() for p in problems}
    assert len(asked) == len(task.benchmark_lengths) * task.benchmark_problems
    for problems in (made.training, made.others["all"]):
        assert len(problems) == 600
        assert not asked & {problem.id for problem in problems}


def test_overrides_reach_the_experiment():
    experiment = load_experiment(["scale=smoke", "train.lr=1e-4", "seeds=3", "variant=maspo"])
    assert (experiment.train.lr, experiment.seeds, experiment.variant) == (1e-4, 3, "maspo")
    assert experiment.results == "results/smoke"
    assert load_experiment(["scale=smoke"]).train.lr == 3e-4


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


def test_a_published_policy_is_one_for_all_seeds(own_study):
    own_study(OWN + "first_seed: 11\n")
    study = load_study("own", 3, load_experiment(["scale=gpu"]))
    assert study.policies[:2] == [("base", 0), ("grpo", 11)]
    assert study.base_seeds == (0,)
    assert load_experiment(["scale=gpu", "seed=11"]).base_seed == 0
    assert load_experiment(["scale=mini", "seed=11"]).base_seed == 11
    assert load_experiment(["scale=mini"]).base_seed == 1


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


def test_a_source_is_one_of_the_list():
    assert source_of("lr: 1 # DAPO-Math-17k, its column") == "DAPO-Math-17k"
    assert source_of("lr: 1 # assumed: small") == "assumed"
    assert source_of("lr: 1 # Assumed") is None
    assert source_of("lr: 1 # SAPOs") is None


def test_what_is_assumed_has_a_reason_behind_a_colon():
    for bare in ("# assumed", "# assumed: ", "# assumed (ours)", "# paper; m assumed"):
        assert lacks_reason(f"lr: 1 {bare}"), bare
    for reasoned in ("# assumed: small", "# paper; m assumed: small", "# paper"):
        assert not lacks_reason(f"lr: 1 {reasoned}"), reasoned


def test_every_value_carries_its_source():
    for path in config_dir().rglob("*.yaml"):
        assert OmegaConf.load(path) is not None
        in_defaults = False
        for number, line in enumerate(path.read_text().splitlines(), start=1):
            if not line.strip() or line.lstrip().startswith("#"):
                continue
            assert not lacks_reason(line), f"{path.name}:{number} gives no reason: {line}"
            if not line.startswith((" ", "-")):
                in_defaults = line.startswith("defaults:")
            value = re.match(r"\s*[\w.+/@-]+:\s*(\S.*)", line)
            if in_defaults or not value or value[1].startswith("#"):
                continue
            assert source_of(line), f"{path.name}:{number} names no source: {line}"


@pytest.mark.parametrize(
    "folder",
    [
        *("/tmp/my results", "/tmp/Größe", "/tmp/a,b", "/tmp/(x)", "/tmp/{x}", "/tmp/[x", "x#y"),
        *("/tmp/it's", '/tmp/a"b', "/tmp/a&b;c", "/tmp/$x`y`", "a\\b", 'a\\"b', "a\\\\", "5", "-x"),
        *("/tmp/a=b", "/tmp/a\nb", "x: y", "a*?", "100%", "a~b"),
    ],
)
def test_a_path_is_taken_as_it_stands(folder):
    assert load_experiment([f"results={folder}"]).results == folder


def test_a_path_may_be_quoted_and_name_other_settings_or_the_home_folder(monkeypatch):
    monkeypatch.setenv("SCRATCH", "/scratch/my own")
    monkeypatch.setenv("HOME", "/home/größe")
    for override, folder in {
        "results='/tmp/a b'": "/tmp/a b",
        'results="/tmp/a b"': "/tmp/a b",
        "results=${oc.env:SCRATCH}/maspo": "/scratch/my own/maspo",
        "results=out/${scale} 2": "out/mini 2",
        "results=~/maspo": "/home/größe/maspo",
    }.items():
        assert load_experiment([override]).results == folder
    task = load_experiment(["scale=gpu", "task.local_dir=~/my data"]).task
    assert task.local_dir == "/home/größe/my data"
    assert load_experiment(["scale=gpu", "task.local_dir=null"]).task.local_dir is None


@pytest.mark.parametrize(
    ("override", "told"),
    [
        ("results=", "a folder"),
        ("results=${oc.env:NOT_SET}/maspo", "NOT_SET"),
        ("results=${scale", "scale"),
    ],
)
def test_a_path_that_names_nothing_is_refused(override, told):
    with pytest.raises(ConfigError, match=told):
        load_experiment([override])
