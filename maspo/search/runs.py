"""The runs of a search: each trial from the same base policies, rung by rung."""

import shutil
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

from maspo import __version__
from maspo.config import Experiment, scheduled_from
from maspo.files import atomic, read_json_lines, sha256
from maspo.layout import BASE_VARIANT, Layout
from maspo.policy import load_policy
from maspo.sampling.make import make_sampler
from maspo.search.settings import Search
from maspo.search.space import node
from maspo.steps.train import run_settings
from maspo.tasks import Problem
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.loop import Trainer
from maspo.verifier import Verifier

LOGS = ("metrics.jsonl", "timings.jsonl")


@dataclass(frozen=True)
class TrialRuns:
    """Trains the trials of one family, one seed after the other at each rung.

    All trials share seeds, so their differences are those of pairs. A run halts at a rung with a
    checkpoint; the next rung, or a search that was killed, goes on from there to the same bits.
    """

    family: str
    experiment: Experiment
    search: Search
    problems: list[Problem]
    verifier: Verifier

    @property
    def folder(self) -> Path:
        """Where the family's logs are kept."""
        return search_folder(self.experiment) / self.family

    def reach(self, trial: int, chosen: dict[str, Any], rung: int) -> float:
        """Train a trial up to a rung; return its accuracy there, the mean over seeds, in [0, 1].

        The accuracy is that of completions of training problems that the run has not come to
        before, in the last `search.window` steps.
        """
        return fmean(self._train(trial, chosen, rung, seed) for seed in self.search.numbers)

    def keep(self, trial: int) -> None:
        """Copy the logs of a trial's runs out of the folder of unfinished work."""
        for seed in self.search.numbers:
            for name in LOGS:
                with atomic(self.folder / f"trial_{trial:03d}" / f"seed_{seed}" / name) as new:
                    shutil.copyfile(self._unfinished(seed) / name, new)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What outcomes depend on, besides the search's settings and how many trials there are."""
        return {
            "version": __version__,
            "threads": self.experiment.threads,
            **run_settings(self._of(None)),
            **{path.as_posix(): sha256(path) for path in inputs(self.experiment, self.search)},
        }

    def _of(self, seed: int | None) -> Experiment:
        return replace(self.experiment, variant=self.family, seed=seed)

    def _unfinished(self, seed: int) -> Path:
        return search_folder(self.experiment) / "checkpoints" / self.family / f"seed_{seed}"

    def _train(self, trial: int, chosen: dict[str, Any], rung: int, seed: int) -> float:
        experiment = self._of(seed)
        settings = node(self.family, self.search.families[self.family], chosen)
        title = f"{self.family} trial {trial} seed {seed}"
        base = base_policy(self.experiment, seed)
        identity = {**self.identity, "objective": settings, "trial": trial, "seed": seed}
        checkpoints = CheckpointFolder.of(self._unfinished(seed), identity)
        policy, tokenizer = load_policy(base, experiment.model.dtype, experiment.model.device)
        with make_sampler(experiment, policy, tokenizer) as sampler:
            trainer = Trainer.of(
                experiment,
                policy,
                tokenizer,
                self.problems,
                sampler,
                self.verifier,
                scheduled_from(settings, title),
            )
            trainer.train(checkpoints, title, until=rung)
        rows = read_json_lines(checkpoints.folder / "metrics.jsonl")[:rung]
        return fmean(row["accuracy"] for row in rows[-self.search.window :])


def base_policy(experiment: Experiment, seed: int) -> Path:
    """Return the policy that runs of a seed start from."""
    number = experiment.model.base_seed(seed)
    return Layout(Path(experiment.results)).policy(BASE_VARIANT, number)


def inputs(experiment: Experiment, search: Search) -> list[Path]:
    """Return what a search reads: training problems and base policies."""
    problems = Layout(Path(experiment.results)).problems(experiment.train.problems)
    policies = [base_policy(experiment, seed) for seed in search.numbers]
    return [problems, *dict.fromkeys(policies)]


def search_folder(experiment: Experiment) -> Path:
    """Return where the records of a search are, below the experiment's results."""
    return Path(experiment.results) / "search"
