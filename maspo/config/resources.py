"""What a job of each step asks of a machine, or of a cluster."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from maspo.config.checks import Count, Positive, require_bounds


@dataclass
class Job:
    """Limits of one job. A second attempt asks for twice the memory, a third for three times."""

    minutes: Count = MISSING
    memory_gb: Positive = MISSING  # of the host, not of a GPU

    def __post_init__(self) -> None:
        require_bounds(self, "resources of a step")


@dataclass
class Resources:
    """The limits of each step; `report` is for tables and claims. They change no result."""

    data: Job = MISSING
    base: Job = MISSING
    train: Job = MISSING
    evaluate: Job = MISSING
    report: Job = MISSING


def gpus(experiment: Any, step: str) -> int:
    """Return how many GPUs of one node a job of `step` computes on.

    A run that verl trains on Ray, or in a Slurm job of its own, computes elsewhere: 0.
    """
    model = experiment.model
    computes = step in ("train", "evaluate") or (step == "base" and model.supervised is not None)
    if not computes or model.device != "cuda":
        return 0
    engine = experiment.engine
    if step != "train" or engine.kind == "local":
        return 1
    return engine.gpus_per_node if engine.launcher == "process" else 0
