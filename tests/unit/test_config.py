"""Settings: bad ones are refused by name, good ones carry their source."""

import re
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
        (["full={main:", "4}"], ["'4}'", "without spaces", "full={main:4}"]),
        (["lr=1e-4"], ["'lr'", "did you mean model.supervised.lr or train.lr?"]),
        (["train.lr=1e-4,train.steps=5"], ["cannot be read", "spaces, not commas"]),
        (["alpha=0.7"], ["'alpha'", "a variant's name: maspo_alpha_0.7"]),
        (["beta=0.1"], ["'beta'", "a variant's name: maspo_beta_0.1"]),
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
        ("model=mini", ["task.kind='hub'", "modular or words where model.supervised is set"]),
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


@pytest.mark.parametrize("name", ["studies", "variants"])
def test_names_may_stand_without_the_brackets_of_a_list(name):
    for text in ("main,alpha", "[main,alpha]"):
        assert getattr(load_experiment([f"{name}={text}"]), name) == ["main", "alpha"]
    assert getattr(load_experiment([f"{name}=main"]), name) == ["main"]


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
