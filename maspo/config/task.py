"""Settings of the task: what is asked, and how an answer is read."""

import re
import string
from dataclasses import dataclass
from typing import Annotated, ClassVar

from annotated_types import Interval
from omegaconf import MISSING

from maspo.config.checks import Count, require, require_bounds
from maspo.verifier.extraction import RULES

RESIDUES = "0123456789abcdefghijklmnopqrstuvwxyz"  # of ModularTask, in their order


@dataclass
class Task:
    """What is asked and how an answer is read. `kind` chooses the subclass."""

    lessons: ClassVar[str | None] = None  # training file that base policies are taught on, if any
    has_steps: ClassVar[bool] = False  # a completion has steps, each of them right or wrong

    kind: str = MISSING
    max_prompt_tokens: Count = MISSING
    max_completion_tokens: Count = MISSING
    extraction: list[str] = MISSING  # rules of maspo.verifier.extract, tried in this order

    def __post_init__(self) -> None:
        require_bounds(self, "task")
        require(
            bool(self.extraction) and set(self.extraction) <= set(RULES),
            "task.extraction",
            self.extraction,
            f"a list of {list(RULES)}",
        )

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks, in the order of the tables; each kind of task has its own."""
        return []

    @property
    def benchmark_size(self) -> int | None:
        """Problems of each benchmark; None: not known before the data are made."""
        return None

    @property
    def training_files(self) -> list[str]:
        """Names of the files of training problems; `train.problems` chooses one."""
        return ["train"] if self.lessons is None else ["train", self.lessons]

    @property
    def characters(self) -> str:
        """Every character of prompts and completions: the vocabulary of a policy built here."""
        return ""

    @property
    def reports(self) -> list[str]:
        """Names of the files that the data step writes beside the problems."""
        return []


@dataclass
class ModularTask(Task):
    """Modular arithmetic over unevenly known facts (`maspo.tasks.modular`)."""

    lessons: ClassVar[str] = "all"  # over all facts; train is without those that are held out
    has_steps: ClassVar[bool] = True

    seed: int = MISSING
    modulus: int = MISSING
    operators: list[str] = MISSING
    operands: list[str] = MISSING
    held_out: Annotated[float, Interval(ge=0, lt=1)] = MISSING  # share of facts that RL never meets
    train_lengths: list[int] = MISSING  # terms in a training problem
    benchmark_lengths: list[int] = MISSING  # terms in a problem of each benchmark
    train_problems: Count = MISSING
    benchmark_problems: Count = MISSING  # in each benchmark

    def __post_init__(self) -> None:
        super().__post_init__()
        limit = len(RESIDUES)
        valid = f"from 2 to {limit}: a residue is one of the {limit} characters {RESIDUES}"
        require(2 <= self.modulus <= limit, "task.modulus", self.modulus, valid)
        for name, known in (("operators", "+*"), ("operands", RESIDUES[: self.modulus])):
            chosen = getattr(self, name)
            require(
                bool(chosen) and set(chosen) <= set(known) and len(set(chosen)) == len(chosen),
                f"task.{name}",
                chosen,
                f"a list of different characters of {known}",
            )
        for name in ("train_lengths", "benchmark_lengths"):
            lengths = getattr(self, name)
            require(
                bool(lengths) and min(lengths) >= 2,
                f"task.{name}",
                lengths,
                "a list of lengths of at least 2 terms",
            )
        lengths = self.benchmark_lengths
        different = len(set(lengths)) == len(lengths)
        require(different, "task.benchmark_lengths", lengths, "a list of different lengths")
        longest = max(*self.train_lengths, *self.benchmark_lengths)
        for name, tokens in (
            ("max_prompt_tokens", 2 * longest),
            ("max_completion_tokens", 4 * (longest - 1) + 1),  # and the end
        ):
            given = getattr(self, name)
            valid = f"at least {tokens}: there are problems of {longest} terms"
            require(given >= tokens, f"task.{name}", given, valid)
        facts = len(self.operators) * len(self.operands)
        require(
            self.kept_facts >= 1,
            "task.held_out",
            self.held_out,
            f"at most {1 - 1 / facts:g}: of the {facts} facts of a residue it leaves 0 to train on",
        )
        require(
            self.held_out == 0 or self.kept_facts < facts,
            "task.held_out",
            self.held_out,
            f"0, or at least {1 / facts:g}: of the {facts} facts of a residue it holds out 0",
        )
        shortest = min(self.benchmark_lengths)
        most = self.modulus * facts ** (shortest - 1) // 2
        require(
            self.benchmark_problems <= most,
            "task.benchmark_problems",
            self.benchmark_problems,
            f"at most {most}, half of the problems of {shortest} terms: the rest is to train on",
        )
        for length in self.train_lengths:
            left = self.modulus * self.kept_facts ** (length - 1)
            left -= self.benchmark_problems * (length in self.benchmark_lengths)
            require(
                left > 0,
                "task.held_out",
                self.held_out,
                f"lower: it can leave 0 problems of {length} terms to train on, "
                f"since {self.benchmark_problems} are a benchmark's",
            )

    @property
    def kept_facts(self) -> int:
        """Facts of each residue that RL may meet."""
        facts = len(self.operators) * len(self.operands)
        return facts - round(self.held_out * facts)

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks, in the order of the tables."""
        return [f"terms{length}" for length in self.benchmark_lengths]

    @property
    def benchmark_size(self) -> int | None:
        """Problems of each benchmark."""
        return self.benchmark_problems

    @property
    def characters(self) -> str:
        """The residues, the operators, ``?`` and ``=``."""
        return RESIDUES[: self.modulus] + "".join(self.operators) + "?="

    @property
    def reports(self) -> list[str]:
        """Names of the files that the data step writes beside the problems."""
        return ["facts.csv"]


@dataclass
class WordsTask(Task):
    """Small word problems for a pretrained language model (`maspo.tasks.words`)."""

    lessons: ClassVar[str] = "lessons"

    seed: int = MISSING
    train_problems: Count = MISSING
    lesson_problems: Count = MISSING  # that base policies are taught on; RL does not meet them
    benchmark_problems: Count = MISSING  # in each benchmark

    def __post_init__(self) -> None:
        super().__post_init__()
        total = self.train_problems + self.lesson_problems + 2 * self.benchmark_problems
        most = 10_000  # half of them of one step, of which there are some 13,000
        valid = f"lower: train_problems, lesson_problems and two benchmarks are at most {most}"
        require(total <= most, "task.train_problems", self.train_problems, valid)

    @property
    def benchmarks(self) -> list[str]:
        """Names of the benchmarks, in the order of the tables."""
        return ["one_step", "two_steps"]

    @property
    def benchmark_size(self) -> int | None:
        """Problems of each benchmark."""
        return self.benchmark_problems

    @property
    def characters(self) -> str:
        """Letters, digits and the signs of questions and answers."""
        return string.ascii_letters + string.digits + r" .,?+-*=\{}"


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
class Example:
    """A solved problem that every prompt shows first, as a turn of the conversation."""

    problem: str = MISSING  # bare; the task's template is put around it
    answer: str = MISSING  # what the assistant said, whole

    def __post_init__(self) -> None:
        for name in ("problem", "answer"):
            text = getattr(self, name)
            require(bool(text.strip()), f"task.examples: {name}", text, "a text")


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
    examples: list[Example] = MISSING  # solved problems before each question
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
