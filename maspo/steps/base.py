"""Step: a base policy, built here or published; trained on demonstrations where settings say so."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from maspo.config import BuiltModel, Experiment, PretrainedModel, as_dict
from maspo.determinism import make_deterministic
from maspo.files import write_text
from maspo.policy import build_policy, build_tokenizer, check_device, load_pretrained, save_policy
from maspo.steps.common import StepManifest, run_step
from maspo.steps.headlines import log_headlines
from maspo.tasks import read_problems
from maspo.tasks.kinds import task_kind
from maspo.training.supervised import train_base

Made = tuple[PreTrainedModel, PreTrainedTokenizerBase, dict[str, Any]]  # with what came of it


def build(experiment: Experiment) -> Made:
    """Return a policy of random weights, and a tokenizer for the characters of its task."""
    tokenizer = build_tokenizer(experiment.task.characters)
    policy = build_policy(experiment.model.architecture, tokenizer, experiment.base_seed)
    return policy, tokenizer, {}


def take(experiment: Experiment) -> Made:
    """Return a published policy and its tokenizer, with the commit that the hub served."""
    policy, tokenizer, commit = load_pretrained(experiment.model)
    return policy, tokenizer, {"resolved_revision": commit}


MAKERS: dict[type, Callable[[Experiment], Made]] = {BuiltModel: build, PretrainedModel: take}


def teach(
    experiment: Experiment,
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    source: Path,
    folder: Path,
) -> None:
    """Train a policy on its task's lessons; write its learning curve and what it was taught."""
    task, settings = experiment.task, experiment.model.supervised
    lessons = task_kind(task).teach(task, settings, experiment.base_seed)
    problems = read_problems(source)
    policy.to(experiment.model.device)
    train_base(policy, tokenizer, problems, lessons, settings, experiment.base_seed, folder)
    write_text(folder / "knowledge.csv", lessons.table)


def base(experiment: Experiment) -> None:
    """Write base/seed_<seed>/policy, in Hugging Face format."""
    make_deterministic(experiment.threads)
    manifest = StepManifest("base", experiment)
    model, seed = experiment.model, experiment.base_seed
    folder = manifest.layout.base(seed)
    folder.mkdir(parents=True, exist_ok=True)
    with manifest.timed("load"):
        policy, tokenizer, found = MAKERS[type(model)](experiment)
    taught = model.supervised is not None
    inputs = [manifest.layout.problems(experiment.task.lessons)] if taught else []
    if taught:
        check_device(model.device)
        with manifest.timed("train"):
            teach(experiment, policy, tokenizer, *inputs, folder)
    with manifest.timed("save"):
        save_policy(folder / "policy", policy, tokenizer)
    manifest.finish(
        folder,
        {**as_dict(model), **found},
        {"base": seed} if taught else {},
        inputs,
        [folder / name for name in ("policy", *model.files)],
        headlines=log_headlines(folder) if taught else (),
    )


if __name__ == "__main__":
    run_step(base, needs=("seed",))
