"""The real task: DAPO-Math-17k to train on, six published benchmarks to measure with."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maspo.config import HubTask
from maspo.errors import DataError
from maspo.files import read_json_lines
from maspo.inert import csv
from maspo.tasks.decontaminate import (
    contaminated_ids,
    find_matches,
    markdown_report,
    matches_table,
    summary_table,
)
from maspo.tasks.hub import fetch, read_rows
from maspo.tasks.problems import Problem, TaskData
from maspo.tasks.prompts import fill, strip_instructions
from maspo.tasks.rows import VERL_COLUMNS, Row, json_row, verl_row


@dataclass
class Collection:
    """Distinct problems in the order of their first row, and how many rows they came from."""

    problems: dict[str, Problem] = field(default_factory=dict)  # by id
    bare: dict[str, str] = field(default_factory=dict)  # question without instructions, by id
    rows: int = 0
    conflicts: dict[str, list[str]] = field(default_factory=dict)  # other answers, by id

    def add(self, row: Row, name: str, task: HubTask) -> None:
        """Add a row; a repeated question only counts, its first answer stays.

        Raises:
            DataError: nothing is left of the question without its instructions.
        """
        self.rows += 1
        question = strip_instructions(row.question, task.instructions)
        if not question:
            raise DataError(f"{name}, row {self.rows}: no question in {row.question!r}")
        examples = [(fill(task.template, e.problem), e.answer) for e in task.examples]
        problem = Problem.create(fill(task.template, question), row.answer, name, examples)
        known = self.problems.setdefault(problem.id, problem)
        self.bare.setdefault(problem.id, question)
        if known.answer != problem.answer:
            others = self.conflicts.setdefault(problem.id, [])
            if problem.answer not in others:
                others.append(problem.answer)

    def describe(self) -> dict[str, Any]:
        """Return what the data report says of the problems."""
        return {
            "rows": self.rows,
            "problems": len(self.problems),
            "conflicting_answers": self.conflicts,
        }


def collect(rows: Iterable[Row], name: str, task: HubTask) -> Collection:
    """Return the distinct problems of `rows`, all from the source `name`."""
    collection = Collection()
    for row in rows:
        collection.add(row, name, task)
    return collection


def spelling(source: str) -> str:
    """Return a data source's name without case and signs: ``MATH-500`` is ``math500``."""
    return "".join(character for character in source.casefold() if character.isalnum())


def sort_benchmarks(
    rows: Iterable[Row], task: HubTask, where: str
) -> tuple[dict[str, Collection], dict[str, int]]:
    """Return the benchmarks by name, and the rows of each data source that is none of them.

    Raises:
        DataError: a benchmark has no row; the message lists the data sources found.
    """
    names = {spelling(s): name for name, known in task.sources.items() for s in [name, *known]}
    benchmarks = {name: Collection() for name in task.benchmarks}
    found: Counter[str] = Counter()
    for row in rows:
        found[row.source] += 1
        if name := names.get(spelling(row.source)):
            benchmarks[name].add(row, name, task)
    if empty := [name for name, collection in benchmarks.items() if not collection.rows]:
        raise DataError(
            f"{where}: no row of {empty}; its data_source values are {dict(found)}: add the right "
            "spelling to task.sources, or set task.benchmark_files to a folder of JSONL files"
        )
    return benchmarks, {source: n for source, n in found.items() if spelling(source) not in names}


def read_verl(path: Path) -> Iterator[Row]:
    """Yield the rows of a Parquet file in the layout of verl."""
    for number, row in enumerate(read_rows(path, VERL_COLUMNS), start=1):
        yield verl_row(row, f"{path}, row {number}")


def read_lines(path: Path) -> Iterator[Row]:
    """Yield the rows of a JSONL file; see `json_row`."""
    for number, row in enumerate(read_json_lines(path), start=1):
        yield json_row(row, f"{path}, row {number}")


def read_training(path: Path) -> Iterator[Row]:
    """Yield the rows of training problems: JSONL, or Parquet in the layout of verl."""
    return read_lines(path) if path.suffix == ".jsonl" else read_verl(path)


def read_benchmark_files(task: HubTask) -> tuple[dict[str, Collection], list[Path]]:
    """Read ``<task.benchmark_files>/<name>.jsonl`` of every benchmark.

    Raises:
        DataError: a file is missing or a row has no question or answer.
    """
    folder = Path(task.benchmark_files)
    paths = {name: folder / f"{name}.jsonl" for name in task.benchmarks}
    if missing := [str(path) for path in paths.values() if not path.is_file()]:
        raise DataError(
            f"task.benchmark_files={task.benchmark_files} lacks {missing}: put them there, or set "
            "task.benchmark_files=null to read task.evaluation"
        )
    benchmarks = {}
    for name, path in paths.items():
        benchmarks[name] = collect(read_lines(path), name, task)
    return benchmarks, list(paths.values())


def load_benchmarks(task: HubTask) -> tuple[dict[str, Collection], list[Path], dict[str, Any]]:
    """Return the benchmarks by name, the files they were read from, and what to report of those."""
    if task.benchmark_files is not None:
        benchmarks, paths = read_benchmark_files(task)
        return benchmarks, paths, {"evaluation": {"files": [path.name for path in paths]}}
    file = fetch(task.evaluation, task.local_dir, "task.evaluation")
    benchmarks, ignored = sort_benchmarks(read_verl(file.path), task, str(file.path))
    return benchmarks, [file.path], {"evaluation": file.describe(), "ignored_sources": ignored}


def make_hub(task: HubTask) -> TaskData:
    """Return training problems and benchmarks of the real task, and the reports on them.

    Raises:
        DataError: a file is missing, not the pinned one, or not in the layout expected.
    """
    benchmarks, inputs, report = load_benchmarks(task)
    file = fetch(task.training, task.local_dir, "task.training")
    training = collect(read_training(file.path), task.training.repo, task)
    matches = find_matches(
        training.bare,
        {name: collection.bare for name, collection in benchmarks.items()},
        task.ngram,
        task.contaminated_share,
    )
    contaminated = contaminated_ids(matches)
    excluded = contaminated if task.exclude_contaminated else set()
    kept = [problem for key, problem in training.problems.items() if key not in excluded]
    if not kept:
        raise DataError(f"{file.path}: of {training.rows} rows no training problem is left")
    summary = summary_table(matches, {name: len(c.problems) for name, c in benchmarks.items()})
    report = {
        "training_file": file.describe(),
        **report,
        "training": {
            **training.describe(),
            "contaminated": len(contaminated),
            "excluded": len(excluded),
            "kept": len(kept),
        },
        "benchmarks": {name: collection.describe() for name, collection in benchmarks.items()},
    }
    texts = {
        "decontamination.csv": csv(summary),
        "decontamination.md": markdown_report(
            summary,
            len(training.problems),
            task.ngram,
            task.contaminated_share,
            task.exclude_contaminated,
        ),
        "decontamination_matches.csv": csv(matches_table(matches)),
        "report.json": json.dumps(report, indent=2, ensure_ascii=False) + "\n",
    }
    problems = {name: list(c.problems.values()) for name, c in benchmarks.items()}
    return TaskData(kept, problems, texts=texts, inputs=[*inputs, file.path])
