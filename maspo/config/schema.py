"""The type of every setting. Values and their sources stand in `configs/`, never here.

The classes are checked twice: OmegaConf refuses unknown names and wrong types, and each
``__post_init__`` refuses values out of range, with the name of the setting.
"""

import math
import re
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

    @property
    def reports(self) -> list[str]:
        """Names of the files that the data step writes beside the problems."""
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
class HubFile:
    """One file of a data set on the Hugging Face hub."""

    repo: str = MISSING
    file: str = MISSING  # path in the repository
    revision: str = MISSING  # a commit is a pin; a branch such as main is not
    sha256: str | None = MISSING  # of the file; null if it is not known

    def __post_init__(self) -> None:
        if self.sha256 is not None:
            require(
                re.fullmatch("[0-9a-f]{64}", self.sha256) is not None,
                f"sha256 of {self.repo}/{self.file}",
                self.sha256,
                "64 hexadecimal digits, or null",
            )


@dataclass
class HubTask(Task):
    """Real mathematics (`maspo.tasks.hub_task`): DAPO-Math-17k and the published benchmarks."""

    training: HubFile = MISSING
    evaluation: HubFile = MISSING  # every benchmark in one file, told apart by data_source
    local_dir: str | None = MISSING  # holds <repo>/<file> of both, for machines without the hub
    benchmark_files: str | None = MISSING  # folder of <benchmark>.jsonl, in place of evaluation
    sources: dict[str, list[str]] = MISSING  # benchmark: spellings of its data_source
    instructions: list[str] = MISSING  # stripped from the start and end of a question
    template: str = MISSING  # of the user message; {problem} is the bare question
    ngram: int = MISSING  # words
    contaminated_share: float = MISSING  # of a benchmark problem's n-grams, see decontaminate
    exclude_contaminated: bool = MISSING  # from training

    def __post_init__(self) -> None:
        super().__post_init__()
        require(bool(self.sources), "task.sources", self.sources, "at least one benchmark")
        require(
            self.template.count("{problem}") == 1,
            "task.template",
            self.template,
            "a text with {problem} in it once",
        )
        require(self.ngram >= 1, "task.ngram", self.ngram, "at least 1")
        share = self.contaminated_share
        require(0 < share <= 1, "task.contaminated_share", share, "in (0, 1]")

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks, in the order of the tables."""
        return list(self.sources)

    @property
    def reports(self) -> list[str]:
        """Names of the files that the data step writes beside the problems."""
        return [
            "decontamination.csv",
            "decontamination.md",
            "decontamination_matches.csv",
            "report.json",
        ]


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
    reward: str = MISSING  # verifier, or random: a fair coin for each completion, as a control
    normalize_std: bool = MISSING  # divide group-relative advantages by the group's std
    logits_chunk: int | None = MISSING  # vocabulary entries at a time; null: the whole vocabulary
    checkpoint_every: int = MISSING  # steps

    def __post_init__(self) -> None:
        for name in ("steps", "prompts_per_batch", "updates_per_batch", "checkpoint_every"):
            require(getattr(self, name) >= 1, f"train.{name}", getattr(self, name), "at least 1")
        require(self.group_size >= 2, "train.group_size", self.group_size, "at least 2")
        for name in ("lr", "max_grad_norm", "temperature"):
            require(getattr(self, name) > 0, f"train.{name}", getattr(self, name), "positive")
        rewards = ("verifier", "random")
        require(self.reward in rewards, "train.reward", self.reward, " or ".join(rewards))
        require(self.weight_decay >= 0, "train.weight_decay", self.weight_decay, "at least 0")
        chunk = self.logits_chunk
        require(chunk is None or chunk >= 1, "train.logits_chunk", chunk, "at least 1, or null")
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

    def __post_init__(self) -> None:
        require(self.samples >= 1, "evaluate.samples", self.samples, "at least 1")
        require(self.temperature > 0, "evaluate.temperature", self.temperature, "positive")
        require(0 < self.top_p <= 1, "evaluate.top_p", self.top_p, "in (0, 1]")


@dataclass
class Engine:
    """What trains a run: `local` is this package's own loop. `kind` chooses the subclass."""

    kind: str = MISSING


@dataclass
class VerlEngine(Engine):
    """Training by verl (`maspo.integrations.verl.launch`)."""

    launcher: str = MISSING  # process, ray or slurm
    python: str = MISSING  # the interpreter that has verl
    nodes: int = MISSING
    gpus_per_node: int = MISSING
    tensor_parallel: int = MISSING  # of vLLM
    sequence_parallel: int = MISSING  # of the training
    tokens_per_gpu: int = MISSING  # of a micro-batch, prompts and completions
    rollout_memory: float = MISSING  # share of a GPU that vLLM may take
    offload: bool = MISSING  # weights and optimizer to host memory while not in use
    reward_workers: int = MISSING
    slurm: dict[str, str] = MISSING  # options of sbatch
    overrides: list[str] = MISSING  # of verl's configuration, after all others

    def __post_init__(self) -> None:
        known = ("process", "ray", "slurm")
        require(self.launcher in known, "engine.launcher", self.launcher, " or ".join(known))
        names = ("nodes", "gpus_per_node", "tensor_parallel", "sequence_parallel")
        for name in (*names, "tokens_per_gpu", "reward_workers"):
            require(getattr(self, name) >= 1, f"engine.{name}", getattr(self, name), "at least 1")
        share = self.rollout_memory
        require(0 < share < 1, "engine.rollout_memory", share, "in (0, 1)")


SUITES = ("default", "full")


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
    suite: str = MISSING  # default or full
    tables_of: str | None = None  # a study
    variants: list[str] | None = None  # the only study, `custom`, of the default suite
    variant: str | None = None
    seed: int | None = None
    task: Task = MISSING
    model: Model = MISSING
    sampler: Sampler = MISSING
    train: Train = MISSING
    evaluate: Evaluate = MISSING
    statistics: Statistics = MISSING
    engine: Engine = MISSING

    def __post_init__(self) -> None:
        require(self.seeds >= 1, "seeds", self.seeds, "at least 1")
        for study, seeds in self.full.items():
            require(seeds >= 1, f"full.{study}", seeds, "at least 1")
        require(self.suite in SUITES, "suite", self.suite, " or ".join(SUITES))
        require(self.threads >= 1, "threads", self.threads, "at least 1")
        require(self.seed is None or self.seed >= 0, "seed", self.seed, "at least 0")


KINDS: dict[str, dict[str, type]] = {
    "task": {"chain": ChainTask, "hub": HubTask},
    "model": {"built": BuiltModel, "pretrained": PretrainedModel},
    "engine": {"local": Engine, "verl": VerlEngine},
}
