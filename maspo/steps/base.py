"""Step: the base policy, built here and trained on noisy demonstrations, or a published one."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from maspo.config import BuiltModel, Experiment, PretrainedModel, as_dict
from maspo.determinism import make_deterministic
from maspo.policy import build_policy, build_tokenizer, load_pretrained, save_policy
from maspo.steps.common import StepRecord, run_step
from maspo.tasks import read_problems
from maspo.tasks.chain import CHARACTERS
from maspo.training.supervised import train_base


def build(model: BuiltModel, record: StepRecord, folder: Path) -> None:
    """Write folder/policy, trained on data/train.parquet, and its learning curve beside it."""
    source = record.layout.data / "train.parquet"
    problems = read_problems(source)
    tokenizer = build_tokenizer(CHARACTERS)
    policy = build_policy(model.architecture, tokenizer, model.supervised.seed)
    with record.timed("train"):
        train_base(policy, tokenizer, problems, model.supervised, folder)
    save_policy(folder / "policy", policy, tokenizer)
    record.finish(
        folder,
        as_dict(model),
        {"supervised": model.supervised.seed},
        [source],
        [folder / "policy", folder / "metrics.jsonl", folder / "timings.jsonl"],
    )


def take(model: PretrainedModel, record: StepRecord, folder: Path) -> None:
    """Write folder/policy, a copy of a published policy and its tokenizer."""
    with record.timed("load"):
        policy, tokenizer, commit = load_pretrained(model)
    with record.timed("save"):
        save_policy(folder / "policy", policy, tokenizer)
    settings = {**as_dict(model), "resolved_revision": commit}
    record.finish(folder, settings, {}, [], [folder / "policy"])


MAKERS: dict[type, Callable[[Any, StepRecord, Path], None]] = {
    BuiltModel: build,
    PretrainedModel: take,
}


def base(experiment: Experiment) -> None:
    """Write base/policy, in Hugging Face format."""
    make_deterministic(experiment.threads)
    record = StepRecord("base", experiment)
    record.layout.base.mkdir(parents=True, exist_ok=True)
    MAKERS[type(experiment.model)](experiment.model, record, record.layout.base)


if __name__ == "__main__":
    run_step(base)
