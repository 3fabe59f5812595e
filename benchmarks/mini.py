"""The mini study's policy and a trainer on it, for benchmarks."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks.harness import ROOT
from maspo.config import Experiment, build_objective, load_experiment
from maspo.layout import Layout
from maspo.policy import fitting_prompts, load_policy
from maspo.sampling.transformers import TransformersSampler
from maspo.tasks import Problem, read_problems
from maspo.training.loop import Trainer
from maspo.verifier import Verifier

OWN = ROOT / "results" / "benchmarks"  # made here where the study was not run


def mini_results() -> Path:
    """Return a folder with the mini study's problems and base policy, made if there is none."""
    study = ROOT / "results" / "mini"
    return study if has_policy(study) else make_results(OWN, "scale=mini")


def has_policy(results: Path) -> bool:
    """Return whether a base policy lies in a results folder."""
    return (results / "base" / "policy" / "config.json").is_file()


def make_results(folder: Path, *overrides: str) -> Path:
    """Return a folder with problems and a base policy of these settings, made if there is none."""
    for step in () if has_policy(folder) else ("data", "base"):
        command = [sys.executable, "-m", f"maspo.steps.{step}", *overrides, f"results={folder}"]
        subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder


def mini_problems(experiment: Experiment) -> list[Problem]:
    """Return the training problems."""
    return read_problems(Layout(Path(experiment.results)).data / "train.parquet")


def mini_trainer(results: Path, verifier: Verifier, *overrides: str) -> Trainer:
    """Return what the step `train` builds for GRPO at scale mini."""
    experiment = load_experiment(["scale=mini", f"results={results}", *overrides])
    policy, tokenizer = load_policy(Layout(results).base / "policy")
    everything = mini_problems(experiment)
    problems, prompts = fitting_prompts(tokenizer, everything, experiment.task.max_prompt_tokens)
    return Trainer(
        policy=policy,
        tokenizer=tokenizer,
        objective=build_objective("grpo"),
        sampler=TransformersSampler(policy, tokenizer, experiment.sampler.batch_size),
        verifier=verifier,
        problems=problems,
        prompts=prompts,
        settings=experiment.train,
        max_tokens=experiment.task.max_completion_tokens,
        seed=1,
    )


@contextmanager
def deterministic():
    """Torch's deterministic algorithms, as in a real run of ours, for this block alone."""
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)
