"""Settings of the base policy."""

import math
from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from maspo.config.checks import Count, Positive, Share, require, require_bounds


@dataclass
class Supervised:
    """Training of a base policy on demonstrations (`maspo.training.supervised`)."""

    steps: Count = MISSING
    batch_size: Count = MISSING  # demonstrations
    lr: Positive = MISSING  # peak
    warmup_steps: int = MISSING
    max_grad_norm: Positive = MISSING
    # Beta distribution of a fact's share of right demonstrations; null: all of them are right.
    knowledge: list[float] | None = MISSING
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
        valid = shape is None or (len(shape) == 2 and all(0 < n < math.inf for n in shape))
        require(valid, "model.supervised.knowledge", shape, "null, or two positive numbers")
        require(
            shape is not None or self.misconceived == 0,
            "model.supervised.misconceived",
            self.misconceived,
            "0 where model.supervised.knowledge is null: no demonstration is wrong",
        )


@dataclass
class Model:
    """Where the base policy comes from. `kind` chooses the subclass."""

    kind: str = MISSING
    dtype: str = MISSING
    device: str = MISSING
    supervised: Supervised | None = None  # on the task's lessons, before RL; null: none

    def __post_init__(self) -> None:
        require(self.device in ("cpu", "cuda"), "model.device", self.device, "cpu or cuda")
        require(
            self.dtype in ("float32", "bfloat16"), "model.dtype", self.dtype, "float32 or bfloat16"
        )

    @property
    def files(self) -> list[str]:
        """Names of the files that the base step writes beside the policy."""
        return (
            [] if self.supervised is None else ["metrics.jsonl", "timings.jsonl", "knowledge.csv"]
        )

    def base_seed(self, seed: int) -> int:
        """Return the seed of the base policy that a run of `seed` starts from.

        Where policies are trained here, every run starts from one of its own, of the same seed. A
        published policy that is taken as it is is one for all runs: its seed is 0.
        """
        return 0 if self.supervised is None else seed


@dataclass
class BuiltModel(Model):
    """A policy built from a configuration and trained here on demonstrations."""

    supervised: Supervised = MISSING
    architecture: dict[str, Any] = MISSING  # fields of transformers.Qwen2Config


@dataclass
class PretrainedModel(Model):
    """A published policy, taken as it is, or after a warm-up on demonstrations."""

    path: str = MISSING  # a folder in Hugging Face format, or an id on the hub
    revision: str = MISSING  # commit on the hub; of no meaning for a folder
