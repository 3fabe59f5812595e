"""The type of every setting. Values and their sources stand in `configs/`, never here.

The classes are checked twice: OmegaConf refuses unknown names and wrong types, and each
``__post_init__`` refuses values out of range, with the name of the setting.
"""

import math
from dataclasses import dataclass
from typing import Annotated

from annotated_types import Ge, Gt, Interval
from omegaconf import MISSING

from maspo.config.checks import (
    Count,
    OptionalCount,
    Positive,
    Share,
    require,
    require_bounds,
    require_different,
    require_finite,
)
from maspo.config.engine import UNREAD, Engine, VerlEngine
from maspo.config.grammar import hydra_value
from maspo.config.model import BuiltModel, Model, PretrainedModel
from maspo.config.resources import Resources
from maspo.config.sampler import Sampler, TransformersSampler, VllmSampler
from maspo.config.task import HubTask, ModularTask, Task, WordsTask
from maspo.errors import ConfigError


@dataclass
class Train:
    """One RL run (`maspo.training.loop`)."""

    steps: Count = MISSING  # rollout batches
    prompts_per_batch: Count = MISSING
    group_size: Annotated[int, Ge(2)] = MISSING  # completions a prompt
    updates_per_batch: Count = MISSING  # optimizer updates a rollout batch
    lr: Positive = MISSING
    lr_schedule: str = MISSING  # constant, or linear: falling from lr to min_lr_ratio * lr
    min_lr_ratio: Share = 0.0  # where a linear schedule ends; older manifests have none
    betas: list[float] = MISSING
    weight_decay: Annotated[float, Ge(0)] = MISSING
    max_grad_norm: Positive = MISSING
    temperature: Positive = MISSING
    problems: str = MISSING  # which file of training problems: train, or another of the task's
    # verifier; steps: a wrong answer gets the share of steps that are right before the first error;
    # random: a fair coin for each completion, as a control
    reward: str = MISSING
    false_negatives: Share = 0.0  # of right answers, not rewarded; older manifests have none
    false_positives: Share = 0.0  # of other answers, rewarded all the same; likewise
    normalize_std: bool = MISSING  # divide group-relative advantages by the group's std
    logits_chunk: OptionalCount = MISSING  # of the vocabulary at a time; null: all of it
    precision: str | None = MISSING  # of the products in the layers, not of weights and optimizer
    gradient_checkpointing: bool | None = MISSING  # keep one state a layer, make the others again
    micro_batch_tokens: OptionalCount = MISSING  # scored at a time; null: a whole mini-batch
    checkpoint_every: Count = MISSING  # steps
    snapshots: list[int] = MISSING  # steps whose policy is kept and evaluated as well
    old_policy: str = MISSING  # whose log-probabilities are the old policy's: trainer or sampler
    importance_cap: float | None = MISSING  # of trainer over sampler, a token; null: no correction
    # Size limit of a run's rollouts.parquet, MB; null: none is kept; older manifests have none.
    rollouts_mb: Annotated[float | None, Gt(0)] = None

    def __post_init__(self) -> None:
        require_bounds(self, "train")
        schedules = ("constant", "linear")
        require(
            self.lr_schedule in schedules,
            "train.lr_schedule",
            self.lr_schedule,
            " or ".join(schedules),
        )
        steps = list(self.snapshots)
        require(
            steps == sorted(set(steps)) and all(0 < step < self.steps for step in steps),
            "train.snapshots",
            steps,
            f"a rising list of steps from 1 to {self.steps - 1}: train.steps={self.steps}, and the "
            "last step is evaluated anyway",
        )
        rewards = ("verifier", "steps", "random")
        require(self.reward in rewards, "train.reward", self.reward, " or ".join(rewards))
        noise = (self.false_negatives, self.false_positives) != (0, 0)
        allowed = "verifier where train.false_negatives or train.false_positives is not 0"
        require(not noise or self.reward == "verifier", "train.reward", self.reward, allowed)
        sources = ("trainer", "sampler")
        require(self.old_policy in sources, "train.old_policy", self.old_policy, "trainer, sampler")
        cap = self.importance_cap
        valid = cap is None or (cap > 0 and self.old_policy == "trainer")
        allowed = "null, or positive with train.old_policy=trainer"
        require(valid, "train.importance_cap", cap, allowed)
        known = ("float32", "bfloat16")
        valid = self.precision is None or self.precision in known
        require(valid, "train.precision", self.precision, " or ".join(known))
        require(
            self.precision != "bfloat16" or self.logits_chunk is not None,
            "train.precision",
            self.precision,
            "float32 unless train.logits_chunk is set (4096, say): logits are made in float32",
        )
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

    samples: Count = MISSING  # completions a problem: the 32 of Avg@32
    temperature: Positive = MISSING
    top_p: Annotated[float, Interval(gt=0, le=1)] = MISSING
    snapshot_problems: Count = MISSING  # of each benchmark, for the policies of train.snapshots

    def __post_init__(self) -> None:
        require_bounds(self, "evaluate")


# What is reported together, and the settings that choose its studies.
SUITES = {"default": ("studies", "seeds"), "full": ("full",), "custom": ("variants", "seeds")}


@dataclass
class Statistics:
    """Intervals and p values (`maspo.statistics`)."""

    draws: int = MISSING  # of the bootstrap
    level: Annotated[float, Interval(ge=0.5, lt=1)] = MISSING  # of the intervals
    seed: Annotated[int, Ge(0)] = MISSING  # of the draws

    def __post_init__(self) -> None:
        require_bounds(self, "statistics")
        least = math.ceil(round(10 / (1 - self.level), 6)) - 1  # ten draws beyond the interval
        require(
            self.draws >= least,
            "statistics.draws",
            self.draws,
            f"at least {least} for intervals of level {self.level}",
        )


@dataclass
class Experiment:
    """Everything that an experiment is; one step of one run also names `variant` and `seed`."""

    scale: str = MISSING
    results: str = MISSING  # folder of all results of this scale
    seeds: Count = MISSING  # number of runs of each variant
    threads: Count = MISSING  # of torch, in each step
    first_seed: Count = 1  # from which those of studies are counted; older manifests have none
    studies: list[str] = MISSING  # of the default suite: files of configs/study/
    full: dict[str, int] = MISSING  # studies of the full suite, each with its number of seeds
    suite: str | None = None  # one of SUITES; null: custom with variants, else default
    tables_of: str | None = None  # a study
    variants: list[str] | None = None  # the only study of the suite custom
    variant: str | None = None
    seed: Annotated[int | None, Ge(0)] = None
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
        require_bounds(self, "")
        require_different("studies", self.studies)
        require_different("variants", self.variants or [])
        require(self.variants != [], "variants", self.variants, "null, or a list of variants")
        if self.engine.kind == "local" and not self.sampler.gives_log_probs:
            able = [kind for kind, sampler in SAMPLERS.items() if sampler.gives_log_probs]
            needs = f"with sampler={' or '.join(able)} only; otherwise"
            source, cap = self.train.old_policy, self.train.importance_cap
            require(source == "trainer", "train.old_policy", source, f"{needs} trainer")
            require(cap is None, "train.importance_cap", cap, f"{needs} null")
        if self.model.supervised is not None:
            teaching = " or ".join(kind for kind, task in TASKS.items() if task.lessons)
            valid = f"{teaching} where model.supervised is set: it needs lessons"
            require(self.task.lessons is not None, "task.kind", self.task.kind, valid)
        known = self.task.training_files
        require(
            self.train.problems in known,
            "train.problems",
            self.train.problems,
            f"one of {known} with task.kind={self.task.kind}",
        )
        if self.train.reward == "steps":
            kinds = " or ".join(kind for kind, task in TASKS.items() if task.has_steps)
            valid = f"verifier or random: steps is for task.kind={kinds} and engine=local"
            fits = self.task.has_steps and self.engine.kind == "local"
            require(fits, "train.reward", self.train.reward, valid)
        self._check_engine()
        for study, seeds in self.full.items():
            require(seeds >= 1, f"full.{study}", seeds, "at least 1")
        require(bool(self.results.strip()), "results", self.results, "a folder")
        if self.suite is None:
            self.suite = "custom" if self.variants else "default"
        require(self.suite in SUITES, "suite", self.suite, " or ".join(SUITES))
        fits = not self.variants or self.suite == "custom"
        require(fits, "suite", self.suite, "custom where variants are named")

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


TASKS: dict[str, type[Task]] = {"modular": ModularTask, "words": WordsTask, "hub": HubTask}
SAMPLERS: dict[str, type[Sampler]] = {"transformers": TransformersSampler, "vllm": VllmSampler}
KINDS: dict[str, dict[str, type]] = {
    "task": {**TASKS},
    "model": {"built": BuiltModel, "pretrained": PretrainedModel},
    "sampler": {**SAMPLERS},
    "engine": {"local": Engine, "verl": VerlEngine},
}
