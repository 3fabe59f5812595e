"""Step: a base policy, built here and trained on demonstrations, or a published one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from maspo.config import BuiltModel, Experiment, PretrainedModel, as_dict
from maspo.determinism import make_deterministic
from maspo.files import write_text
from maspo.policy import build_policy, build_tokenizer, load_pretrained, save_policy
from maspo.steps.common import StepManifest, run_step
from maspo.steps.headlines import log_headlines
from maspo.tasks import read_problems
from maspo.tasks.kinds import task_kind
from maspo.training.supervised import train_base


def build(experiment: Experiment, manifest: StepManifest, folder: Path) -> None:
    """Write folder/policy, trained on its task's lessons, its learning curve and knowledge."""
    task, model, seed = experiment.task, experiment.model, experiment.base_seed
    source = manifest.layout.problems(task.lessons)
    lessons = task_kind(task).teach(task, model.supervised, seed)
    tokenizer = build_tokenizer(task.characters)
    policy = build_policy(model.architecture, tokenizer, seed)
    problems = read_problems(source)
    with manifest.timed("train"):
        train_base(policy, tokenizer, problems, lessons, model.supervised, seed, folder)
    save_policy(folder / "policy", policy, tokenizer)
    write_text(folder / "knowledge.csv", lessons.table)
    outputs = [folder / name for name in ("policy", *model.files)]
    manifest.finish(
        folder,
        as_dict(model),
        {"base": seed},
        [source],
        outputs,
        headlines=log_headlines(folder),
    )


def take(experiment: Experiment, manifest: StepManifest, folder: Path) -> None:
    """Write folder/policy, a copy of a published policy and its tokenizer."""
    model = experiment.model
    with manifest.timed("load"):
        policy, tokenizer, commit = load_pretrained(model)
    with manifest.timed("save"):
        save_policy(folder / "policy", policy, tokenizer)
    settings = {**as_dict(model), "resolved_revision": commit}
    manifest.finish(folder, settings, {}, [], [folder / "policy"])


MAKERS: dict[type, Callable[[Any, StepManifest, Path], None]] = {
    BuiltModel: build,
    PretrainedModel: take,
}


def base(experiment: Experiment) -> None:
    """Write base/seed_<seed>/policy, in Hugging Face format."""
    make_deterministic(experiment.threads)
    manifest = StepManifest("base", experiment)
    folder = manifest.layout.base(experiment.base_seed)
    folder.mkdir(parents=True, exist_ok=True)
    MAKERS[type(experiment.model)](experiment, manifest, folder)


if __name__ == "__main__":
    run_step(base, needs=("seed",))
