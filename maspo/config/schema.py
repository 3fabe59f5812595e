"""The type of every setting. Values and their sources stand in `configs/`, never here.

The classes are checked twice: OmegaConf refuses unknown names and wrong types, and each
``__post_init__`` refuses values out of range, with the name of the setting.
"""

from dataclasses import dataclass
from typing import Any

from omegaconf import MISSING

from maspo.errors import ConfigError


def require(condition: bool, name: str, value: Any, constraint: str) -> None:
    """Raise `ConfigError` naming the setting, its value and the constraint it broke."""
    if not condition:
        raise ConfigError(f"{name}={value!r} is not valid: it must be {constraint}")


@dataclass
class Task:
    """What is asked and how an answer is read. `kind` chooses the subclass."""

    kind: str = MISSING
    max_prompt_tokens: int = MISSING
    max_completion_tokens: int = MISSING
    extraction: list[str] = MISSING  # rules of maspo.verifier.extract, tried in this order

    def __post_init__(self) -> None:
        for name in ("max_prompt_tokens", "max_completion_tokens"):
            require(getattr(self, name) >= 1, f"task.{name}", getattr(self, name), "at least 1")

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks, in the order of the tables; each kind of task has its own."""
        return []


@dataclass
class ChainTask(Task):
    """Synthetic chain arithmetic (`maspo.tasks.chain`)."""

    seed: int = MISSING
    train_lengths: list[int] = MISSING  # terms in a training problem
    benchmark_lengths: list[int] = MISSING  # terms in a problem of each benchmark
    train_problems: int = MISSING
    benchmark_problems: int = MISSING  # in each benchmark

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("train_lengths", "benchmark_lengths"):
            lengths = getattr(self, name)
            require(
                bool(lengths) and min(lengths) >= 2,
                f"task.{name}",
                lengths,
                "a list of lengths of at least 2 terms",
            )
        for name in ("train_problems", "benchmark_problems"):
            require(getattr(self, name) >= 1, f"task.{name}", getattr(self, name), "at least 1")

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks, in the order of the tables."""
        return [f"chain{length}" for length in self.benchmark_lengths]


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

    def __post_init__(self) -> None:
        require(
            self.dtype in ("float32", "bfloat16"), "model.dtype", self.dtype, "float32 or bfloat16"
        )


@dataclass
class BuiltModel(Model):
    """A policy built from a configuration and trained here on demonstrations."""

    architecture: dict[str, Any] = MISSING  # fields of transformers.Qwen2Config
    supervised: Supervised = MISSING


@dataclass
class Sampler:
    """How completions are drawn (`maspo.sampling`)."""

    kind: str = MISSING
    batch_size: int = MISSING  # completions decoded together

    def __post_init__(self) -> None:
        require(self.kind in ("transformers",), "sampler.kind", self.kind, "transformers")
        require(self.batch_size >= 1, "sampler.batch_size", self.batch_size, "at least 1")


@dataclass
class Train:
    """One RL run (`maspo.training.loop`)."""

    steps: int = MISSING  # rollout batches
    prompts_per_batch: int = MISSING
    group_size: int = MISSING  # completions a prompt
    updates_per_batch: int = MISSING  # optimizer updates a rollout batch
    lr: float = MISSING
    betas: list[float] = MISSING
    weight_decay: float = MISSING
    max_grad_norm: float = MISSING
    temperature: float = MISSING
    normalize_std: bool = MISSING  # divide group-relative advantages by the group's std
    checkpoint_every: int = MISSING  # steps
    threads: int = MISSING

    def __post_init__(self) -> None:
        for name in ("steps", "prompts_per_batch", "updates_per_batch", "checkpoint_every"):
            require(getattr(self, name) >= 1, f"train.{name}", getattr(self, name), "at least 1")
        require(self.group_size >= 2, "train.group_size", self.group_size, "at least 2")
        require(self.threads >= 1, "train.threads", self.threads, "at least 1")
        for name in ("lr", "max_grad_norm", "temperature"):
            require(getattr(self, name) > 0, f"train.{name}", getattr(self, name), "positive")
        require(self.weight_decay >= 0, "train.weight_decay", self.weight_decay, "at least 0")
        require(
            len(self.betas) == 2 and all(0 <= beta < 1 for beta in self.betas),
            "train.betas",
            list(self.betas),
            "two numbers in [0, 1)",
        )
        require(
            self.prompts_per_batch % self.updates_per_batch == 0,
            "train.updates_per_batch",
            self.updates_per_batch,
            f"a divisor of train.prompts_per_batch={self.prompts_per_batch}",
        )


@dataclass
class Evaluate:
    """Sampling of the benchmarks (`maspo.evaluation`)."""

    samples: int = MISSING  # completions a problem: the 32 of Avg@32
    temperature: float = MISSING
    top_p: float = MISSING
    threads: int = MISSING

    def __post_init__(self) -> None:
        require(self.samples >= 1, "evaluate.samples", self.samples, "at least 1")
        require(self.temperature > 0, "evaluate.temperature", self.temperature, "positive")
        require(0 < self.top_p <= 1, "evaluate.top_p", self.top_p, "in (0, 1]")
        require(self.threads >= 1, "evaluate.threads", self.threads, "at least 1")


@dataclass
class Experiment:
    """Everything that an experiment is; one step of one run also names `variant` and `seed`."""

    scale: str = MISSING
    results: str = MISSING  # folder of all results of this scale
    seeds: int = MISSING  # runs of each variant are seeded 1, 2, ..., seeds
    sweeps: list[str] = MISSING  # names of variant lists in configs/sweep/
    variants: list[str] | None = None  # compared in place of the sweep's
    variant: str | None = None
    seed: int | None = None
    task: Task = MISSING
    model: Model = MISSING
    sampler: Sampler = MISSING
    train: Train = MISSING
    evaluate: Evaluate = MISSING

    def __post_init__(self) -> None:
        require(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        require(self.seed is None or self.seed >= 0, "seed", self.seed, "at least 0")


KINDS: dict[str, dict[str, type]] = {
    "task": {"chain": ChainTask},
    "model": {"built": BuiltModel},
}
