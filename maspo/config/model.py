"""Settings of the base policy."""

import math
from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from maspo.config.checks import Count, Positive, Share, require, require_bounds


@dataclass
class Supervised:
    """Training of a base policy on faulty demonstrations (`maspo.training.supervised`)."""

    steps: Count = MISSING
    batch_size: Count = MISSING  # demonstrations
    lr: Positive = MISSING  # peak
    warmup_steps: int = MISSING
    max_grad_norm: Positive = MISSING
    knowledge: list[float] = MISSING  # beta distribution of a fact's share of right demonstrations
    misconceived: Share = MISSING  # share of its wrong ones that give one and the same wrong result
    log_every: Count = MISSING  # steps

    def __post_init__(self) -> None:
        require_bounds(self, "model.supervised")
        require(
            0 <= self.warmup_steps < self.steps,
            "model.supervised.warmup_steps",
            self.warmup_steps,
            f"at least 0 and below model.supervised.steps={self.steps}",
        )
        shape = self.knowledge
        valid = len(shape) == 2 and all(0 < number < math.inf for number in shape)
        require(valid, "model.supervised.knowledge", shape, "two positive numbers")


@dataclass
class Model:
    """Where the base policy comes from. `kind` chooses the subclass."""

    kind: str = MISSING
    dtype: str = MISSING
    device: str = MISSING

    def __post_init__(self) -> None:
        require(self.device in ("cpu", "cuda"), "model.device", self.device, "cpu or cuda")
        require(
            self.dtype in ("float32", "bfloat16"), "model.dtype", self.dtype, "float32 or bfloat16"
        )

    @property
    def files(self) -> list[str]:
        """Names of the files that the base step writes beside the policy."""
        return []

    def base_seed(self, seed: int) -> int:
        """Return the seed of the base policy that a run of `seed` starts from.

        A published policy is one for all runs: its seed is 0.
        """
        return 0


@dataclass
class BuiltModel(Model):
    """A policy built from a configuration and trained here on demonstrations."""

    architecture: dict[str, Any] = MISSING  # fields of transformers.Qwen2Config
    supervised: Supervised = MISSING

    @property
    def files(self) -> list[str]:
        """Names of the files that the base step writes beside the policy."""
        return ["metrics.jsonl", "timings.jsonl", "knowledge.csv"]

    def base_seed(self, seed: int) -> int:
        """Return `seed`: every run starts from a base policy of its own."""
        return seed


@dataclass
class PretrainedModel(Model):
    """A published policy, taken as it is."""

    path: str = MISSING  # a folder in Hugging Face format, or an id on the hub
    revision: str = MISSING  # commit on the hub; of no meaning for a folder
