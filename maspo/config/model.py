"""Settings of the base policy."""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from maspo.config.checks import require


@dataclass
class Supervised:
    """Training of a base policy on noisy demonstrations (`maspo.training.supervised`)."""

    seed: int = MISSING
    steps: int = MISSING
    batch_size: int = MISSING  # demonstrations
    lr: float = MISSING  # peak
    warmup_steps: int = MISSING
    max_grad_norm: float = MISSING
    error_rate: float = MISSING  # probability that a step of a demonstration is wrong
    log_every: int = MISSING  # steps

    def __post_init__(self) -> None:
        for name in ("steps", "batch_size", "log_every"):
            value = getattr(self, name)
            require(value >= 1, f"model.supervised.{name}", value, "at least 1")
        for name in ("lr", "max_grad_norm"):
            value = getattr(self, name)
            require(value > 0, f"model.supervised.{name}", value, "positive")
        require(
            0 <= self.warmup_steps < self.steps,
            "model.supervised.warmup_steps",
            self.warmup_steps,
            f"at least 0 and below model.supervised.steps={self.steps}",
        )
        rate = self.error_rate
        require(0 <= rate < 1, "model.supervised.error_rate", rate, "in [0, 1)")


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
    def logs(self) -> list[str]:
        """Names of the learning curves that the base step writes; none if nothing is trained."""
        return []


@dataclass
class BuiltModel(Model):
    """A policy built from a configuration and trained here on demonstrations."""

    architecture: dict[str, Any] = MISSING  # fields of transformers.Qwen2Config
    supervised: Supervised = MISSING

    @property
    def logs(self) -> list[str]:
        """Names of the learning curves that the base step writes."""
        return ["metrics", "timings"]


@dataclass
class PretrainedModel(Model):
    """A published policy, taken as it is."""

    path: str = MISSING  # a folder in Hugging Face format, or an id on the hub
    revision: str = MISSING  # commit on the hub; of no meaning for a folder
