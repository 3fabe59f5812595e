"""Step: build the base policy and train it on noisy demonstrations."""

from maspo.config import Experiment, as_dict
from maspo.determinism import make_deterministic
from maspo.policy import build_policy, build_tokenizer, save_policy
from maspo.steps.common import StepRecord, run_step
from maspo.tasks import read_problems
from maspo.tasks.chain import CHARACTERS
from maspo.training.supervised import train_base


def base(experiment: Experiment) -> None:
    """Write base/policy, in Hugging Face format, and the learning curve beside it."""
    make_deterministic(experiment.train.threads)
    record = StepRecord("base", experiment)
    folder, source = record.layout.base, record.layout.data / "train.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    model = experiment.model
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
        [folder / "policy", folder / "metrics.jsonl"],
    )


if __name__ == "__main__":
    run_step(base)
