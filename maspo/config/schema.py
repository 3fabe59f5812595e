"""The type of every setting. Values and their sources stand in `configs/`, never here.

The classes are checked twice: OmegaConf refuses unknown names and wrong types, and each
``__post_init__`` refuses values out of range, with the name of the setting.
"""

import math
from dataclasses import dataclass

from omegaconf import MISSING

from maspo.config.checks import require, require_different, require_finite
from maspo.config.engine import UNREAD, Engine, VerlEngine
from maspo.config.grammar import hydra_value
from maspo.config.model import BuiltModel, Model, PretrainedModel
from maspo.config.resources import Resources
from maspo.config.sampler import Sampler, TransformersSampler, VllmSampler
from maspo.config.task import HubTask, ModularTask, Task
from maspo.errors import ConfigError


@dataclass
class Train:
    """One RL run (`maspo.training.loop`)."""

    steps: int = MISSING  # rollout batches
    prompts_per_batch: int = MISSING
    group_size: int = MISSING  # completions a prompt
    updates_per_batch: int = MISSING  # optimizer updates a rollout batch
    lr: float = MISSING
    lr_schedule: str = MISSING  # constant, or linear: falling from lr to min_lr_ratio * lr
    min_lr_ratio: float = 0.0  # where a linear schedule ends; older manifests have none
    betas: list[float] = MISSING
    weight_decay: float = MISSING
    max_grad_norm: float = MISSING
    temperature: float = MISSING
    problems: str = MISSING  # which file of training problems: train, or another of the task's
    reward: str = MISSING  # verifier, or random: a fair coin for each completion, as a control
    normalize_std: bool = MISSING  # divide group-relative advantages by the group's std
    logits_chunk: int | None = MISSING  # vocabulary entries at a time; null: the whole vocabulary
    precision: str | None = MISSING  # of the products in the layers, not of weights and optimizer
    gradient_checkpointing: bool | None = MISSING  # keep one state a layer, make the others again
    micro_batch_tokens: int | None = MISSING  # padded, scored at a time; null: a whole mini-batch
    checkpoint_every: int = MISSING  # steps
    snapshots: list[int] = MISSING  # steps whose policy is kept and evaluated as well
    old_policy: str = MISSING  # whose log-probabilities are the old policy's: trainer or sampler
    importance_cap: float | None = MISSING  # of trainer over sampler, a token; null: no correction

    def __post_init__(self) -> None:
        for name in ("steps", "prompts_per_batch", "updates_per_batch", "checkpoint_every"):
            require(getattr(self, name) >= 1, f"train.{name}", getattr(self, name), "at least 1")
        require(self.group_size >= 2, "train.group_size", self.group_size, "at least 2")
        for name in ("lr", "max_grad_norm", "temperature"):
            require(getattr(self, name) > 0, f"train.{name}", getattr(self, name), "positive")
        schedules = ("constant", "linear")
        require(
            self.lr_schedule in schedules,
            "train.lr_schedule",
            self.lr_schedule,
            " or ".join(schedules),
        )
        ratio = self.min_lr_ratio
        require(0 <= ratio <= 1, "train.min_lr_ratio", ratio, "in [0, 1]")
        steps = list(self.snapshots)
        require(
            steps == sorted(set(steps)) and all(0 < step < self.steps for step in steps),
            "train.snapshots",
            steps,
            f"a rising list of steps from 1 to {self.steps - 1}: train.steps={self.steps}, and the "
            "last step is evaluated anyway",
        )
        rewards = ("verifier", "random")
        require(self.reward in rewards, "train.reward", self.reward, " or ".join(rewards))
        sources = ("trainer", "sampler")
        require(self.old_policy in sources, "train.old_policy", self.old_policy, "trainer, sampler")
        cap = self.importance_cap
        valid = cap is None or (cap > 0 and self.old_policy == "trainer")
        allowed = "null, or positive with train.old_policy=trainer"
        require(valid, "train.importance_cap", cap, allowed)
        require(self.weight_decay >= 0, "train.weight_decay", self.weight_decay, "at least 0")
        chunk = self.logits_chunk
        require(chunk is None or chunk >= 1, "train.logits_chunk", chunk, "at least 1, or null")
        known = ("float32", "bfloat16")
        valid = self.precision is None or self.precision in known
        require(valid, "train.precision", self.precision, " or ".join(known))
        require(
            self.precision != "bfloat16" or chunk is not None,
            "train.precision",
            self.precision,
            "float32 unless train.logits_chunk is set (4096, say): logits are made in float32",
        )
        tokens = self.micro_batch_tokens
        wanted = "at least 1, or null"
        require(tokens is None or tokens >= 1, "train.micro_batch_tokens", tokens, wanted)
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
    snapshot_problems: int = MISSING  # of each benchmark, for the policies of train.snapshots

    def __post_init__(self) -> None:
        least = self.snapshot_problems
        require(least >= 1, "evaluate.snapshot_problems", least, "at least 1")
        require(self.samples >= 1, "evaluate.samples", self.samples, "at least 1")
        require(self.temperature > 0, "evaluate.temperature", self.temperature, "positive")
        require(0 < self.top_p <= 1, "evaluate.top_p", self.top_p, "in (0, 1]")


# What is reported together, and the settings that choose its studies.
SUITES = {"default": ("studies", "seeds"), "full": ("full",), "custom": ("variants", "seeds")}


@dataclass
class Statistics:
    """Intervals and p values (`maspo.statistics`)."""

    draws: int = MISSING  # of the bootstrap
    level: float = MISSING  # of the intervals
    seed: int = MISSING  # of the draws

    def __post_init__(self) -> None:
        require(0.5 <= self.level < 1, "statistics.level", self.level, "in [0.5, 1)")
        least = math.ceil(round(10 / (1 - self.level), 6)) - 1  # ten draws beyond the interval
        require(
            self.draws >= least,
            "statistics.draws",
            self.draws,
            f"at least {least} for intervals of level {self.level}",
        )
        require(self.seed >= 0, "statistics.seed", self.seed, "at least 0")


@dataclass
class Experiment:
    """Everything that an experiment is; one step of one run also names `variant` and `seed`."""

    scale: str = MISSING
    results: str = MISSING  # folder of all results of this scale
    seeds: int = MISSING  # runs of each variant are seeded 1, 2, ..., seeds
    threads: int = MISSING  # of torch, in each step
    studies: list[str] = MISSING  # of the default suite: files of configs/study/
    full: dict[str, int] = MISSING  # studies of the full suite, each with its number of seeds
    suite: str | None = None  # one of SUITES; null: custom with variants, else default
    tables_of: str | None = None  # a study
    variants: list[str] | None = None  # the only study of the suite custom
    variant: str | None = None
    seed: int | None = None
    task: Task = MISSING
    model: Model = MISSING
    sampler: Sampler = MISSING
    train: Train = MISSING
    evaluate: Evaluate = MISSING
    statistics: Statistics = MISSING
    engine: Engine = MISSING
    resources: Resources | None = None  # of the jobs; older manifests have none

    def __post_init__(self) -> None:
        require_finite(self)
        require(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        require_different("studies", self.studies)
        require_different("variants", self.variants or [])
        require(self.variants != [], "variants", self.variants, "null, or a list of variants")
        if self.engine.kind == "local" and not self.sampler.gives_log_probs:
            able = [kind for kind, sampler in SAMPLERS.items() if sampler.gives_log_probs]
            needs = f"with sampler={' or '.join(able)} only; otherwise"
            source, cap = self.train.old_policy, self.train.importance_cap
            require(source == "trainer", "train.old_policy", source, f"{needs} trainer")
            require(cap is None, "train.importance_cap", cap, f"{needs} null")
        if self.model.kind == "built":
            kind = self.task.kind
            require(kind == "modular", "task.kind", kind, "modular with model.kind=built")
        known = self.task.training_files
        require(
            self.train.problems in known,
            "train.problems",
            self.train.problems,
            f"one of {known} with task.kind={self.task.kind}",
        )
        self._check_engine()
        for study, seeds in self.full.items():
            require(seeds >= 1, f"full.{study}", seeds, "at least 1")
        require(bool(self.results.strip()), "results", self.results, "a folder")
        if self.suite is None:
            self.suite = "custom" if self.variants else "default"
        require(self.suite in SUITES, "suite", self.suite, " or ".join(SUITES))
        fits = not self.variants or self.suite == "custom"
        require(fits, "suite", self.suite, "custom where variants are named")
        require(self.threads >= 1, "threads", self.threads, "at least 1")
        require(self.seed is None or self.seed >= 0, "seed", self.seed, "at least 0")

    def _check_engine(self) -> None:
        """Refuse settings of `train` that the engine does not read, and null for those it does."""
        kind, train = self.engine.kind, self.train
        unread = {k: v for k, v in UNREAD[kind].items() if getattr(train, k) != v}
        if unread:
            found = ", ".join(f"train.{name}={getattr(train, name)!r}" for name in unread)
            wanted = " ".join(f"train.{k}={hydra_value(v)}" for k, v in unread.items())
            raise ConfigError(f"engine.kind={kind} does not read {found}: set {wanted}")
        for name in ("precision", "gradient_checkpointing"):
            read = name not in UNREAD[kind]
            value = getattr(train, name)
            require(not read or value is not None, f"train.{name}", value, "set: null is for verl")

    def check_snapshots(self) -> None:
        """Refuse more problems for the policies of `train.snapshots` than a benchmark has.

        Steps that do not evaluate need not be told of a smaller number.
        """
        size, count = self.task.benchmark_size, self.evaluate.snapshot_problems
        allowed = f"at most {size}, the problems of a benchmark (task.benchmark_problems)"
        require(size is None or count <= size, "evaluate.snapshot_problems", count, allowed)

    @property
    def base_seed(self) -> int:
        """Seed of the base policy that this run starts from; the first run's if none is named."""
        return self.model.base_seed(1 if self.seed is None else self.seed)


SAMPLERS: dict[str, type[Sampler]] = {"transformers": TransformersSampler, "vllm": VllmSampler}
KINDS: dict[str, dict[str, type]] = {
    "task": {"modular": ModularTask, "hub": HubTask},
    "model": {"built": BuiltModel, "pretrained": PretrainedModel},
    "sampler": {**SAMPLERS},
    "engine": {"local": Engine, "verl": VerlEngine},
}
