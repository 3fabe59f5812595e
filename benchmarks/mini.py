"""The mini study's policy and a trainer on it, for benchmarks."""

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import torch

from benchmarks.harness import ROOT
from maspo.config import Experiment, load_experiment
from maspo.layout import BASE_VARIANT, Layout
from maspo.policy import load_policy
from maspo.sampling.make import make_sampler
from maspo.tasks import Problem, read_problems
from maspo.training.loop import Trainer
from maspo.verifier import Verifier

OWN = ROOT / "results" / "benchmarks"  # made here where the study was not run


def mini_results() -> Path:
    """Return a folder with the mini study's problems and base policy, made if there is none."""
    study = ROOT / "results" / "mini"
    return study if has_policy(study) else make_results(OWN, "scale=mini")


def base_policy(results: Path) -> Path:
    """Return where the base policy of the first run lies."""
    return Layout(results).policy(BASE_VARIANT, 1)


def has_policy(results: Path) -> bool:
    """Return whether a base policy lies in a results folder."""
    return (base_policy(results) / "config.json").is_file()


def make_results(folder: Path, *overrides: str) -> Path:
    """Return a folder with problems and a base policy of these settings, made if there is none."""
    for step in () if has_policy(folder) else ("data", "base"):
        command = [sys.executable, "-m", f"maspo.steps.{step}", *overrides, f"results={folder}"]
        subprocess.run([*command, "seed=1"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return folder


def mini_problems(experiment: Experiment) -> list[Problem]:
    """Return the training problems."""
    return read_problems(Layout(Path(experiment.results)).problems(experiment.train.problems))


def mini_trainer(results: Path, verifier: Verifier, *overrides: str) -> Trainer:
    """Return what the step `train` builds for GRPO at scale mini, each step like the others.

    So the rate is constant and nothing is measured on the way; steps may go on beyond a run's.
    """
    alike = ["train.lr_schedule=constant", "train.snapshots=[]"]
    run = ["scale=mini", f"results={results}", "variant=grpo", "seed=1"]
    experiment = load_experiment([*run, *alike, *overrides])
    policy, tokenizer = load_policy(base_policy(results))
    problems = mini_problems(experiment)
    with make_sampler(experiment, policy, tokenizer) as sampler:  # on a CPU it holds nothing else
        return Trainer.of(experiment, policy, tokenizer, problems, sampler, verifier)


@contextmanager
def deterministic():
    """Torch's deterministic algorithms, as in a real run of ours, for this block alone."""
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)
