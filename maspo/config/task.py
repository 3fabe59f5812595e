"""Settings of the task: what is asked, and how an answer is read."""

import re
from dataclasses import dataclass

from omegaconf import MISSING

from maspo.config.checks import require


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
