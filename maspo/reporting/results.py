"""Reading the results of runs; a `Results` reads every file once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maspo.errors import DataError
from maspo.evaluation.records import read_records
from maspo.evaluation.scores import score
from maspo.files import read_json, read_json_lines
from maspo.layout import BASE_VARIANT, Layout
from maspo.statistics import Outcomes, outcomes

Read = TypeVar("Read")


@dataclass(frozen=True)
class RunRecords:
    """What the tables need of one records file; the texts are not kept."""

    scores: pd.DataFrame  # of maspo.evaluation.records.score
    outcomes: Outcomes  # of one seed
    tokens: int


def run_records(path: Path) -> RunRecords:
    """Read one records file; DataError if it cannot be scored."""
    records = read_records(path)
    try:
        return RunRecords(score(records), outcomes([records]), int(records["tokens"].sum()))
    except (ValueError, DataError) as error:
        raise DataError(f"{path}: {error}") from error


def read_log(path: Path) -> tuple[dict[str, Any], ...]:
    """Read a JSON-lines log; DataError if it is missing, cut or empty."""
    rows = tuple(read_json_lines(path))
    if not rows:
        raise DataError(f"{path} is empty: delete its folder to train this run again")
    return rows


@dataclass(frozen=True)
class Results:
    """The finished runs of one results folder.

    What was read is kept, so a file that changes meanwhile is seen by the next `Results` alone.
    """

    layout: Layout
    _known: dict = field(default_factory=dict, compare=False, repr=False)

    def once(self, read: Callable[..., Read], *arguments: Any) -> Read:
        """Return what `read` gives for these arguments, asking it once."""
        key = (read, *arguments)
        if key not in self._known:
            self._known[key] = read(*arguments)
        return self._known[key]

    def records_file(self, variant: str, seed: int) -> Path:
        """Return where the records of a run lie."""
        return self.layout.evaluation(variant, seed) / "records.parquet"

    def snapshots_file(self, variant: str, seed: int) -> Path:
        """Return where the records of a run's policies on the way lie, if there are any."""
        return self.layout.evaluation(variant, seed) / "snapshots.parquet"

    @property
    def facts_file(self) -> Path:
        """Return where the facts of the miniature task lie; other tasks have none."""
        return self.layout.data / "facts.csv"

    @property
    def benchmark_files(self) -> list[Path]:
        """Return the problems of every benchmark, sorted by name."""
        return sorted((self.layout.data / "benchmarks").glob("*.parquet"))

    def records(self, variant: str, seed: int) -> RunRecords:
        """Return the records of a run, or of a base policy for the variant ``base``."""
        return self.once(run_records, self.records_file(variant, seed))

    def outcomes(self, runs: Sequence[tuple[str, int]]) -> Outcomes:
        """Return correctness (seeds, problems, samples) of the runs (variant, seed) of a variant.

        DataError if the runs were evaluated on other problems.
        """
        found = [self.records(*run).outcomes for run in runs]
        for run, outcome in zip(runs, found, strict=True):
            if (outcome.benchmarks, outcome.problems, outcome.samples) != (
                found[0].benchmarks,
                found[0].problems,
                found[0].samples,
            ):
                raise DataError(
                    f"{self.records_file(*run)} holds other problems or samples than "
                    f"{self.records_file(*runs[0])}: evaluate both again"
                )
        return replace(found[0], correct=np.concatenate([outcome.correct for outcome in found]))

    def log(self, variant: str, seed: int, name: str = "metrics") -> tuple[dict[str, Any], ...]:
        """Return ``metrics.jsonl`` or ``timings.jsonl`` of a run, one row a step."""
        return self.once(read_log, self.layout.run(variant, seed) / f"{name}.jsonl")

    def curves(self, runs: Sequence[tuple[str, int]], column: str) -> NDArray[np.float64] | None:
        """Return a column of the logs, (runs, steps), or None if this method does not log it.

        Raises:
            DataError: the seeds have logs of different lengths, or only some have the column.
        """
        logs = [self.log(*run) for run in runs]
        if not any(column in row for log in logs for row in log):
            return None
        try:
            return np.array([[row[column] for row in log] for log in logs], dtype=float)
        except (KeyError, ValueError) as error:
            folder = self.layout.run(*runs[0]).parent
            raise DataError(
                f"{folder}/seed_*/metrics.jsonl: {column!r} is not there for every step of all of "
                f"the {len(runs)} seeds, with logs of {[len(log) for log in logs]} steps: "
                "delete the odd run's folder and train it again"
            ) from error

    def manifest(self, folder: Path) -> dict[str, Any]:
        """Return the manifest of a step's folder; DataError if it is missing."""
        return read_json(folder / "manifest.json")


def run_files(results: Results, runs: Sequence[tuple[str, int]]) -> list[Path]:
    """Return the files that tables of these runs are made from."""
    files = [results.records_file(variant, seed) for variant, seed in runs]
    for variant, seed in runs:
        if variant != BASE_VARIANT:
            folder = results.layout.run(variant, seed)
            files += [folder / "metrics.jsonl", folder / "timings.jsonl"]
    return files


def study_inputs(results: Results, runs: Sequence[tuple[str, int]]) -> list[Path]:
    """Return the files that the tables of one study are made from besides `run_files`.

    Records of policies on the way where a run has them, and where the task has facts those and
    the questions.
    """
    files = [results.snapshots_file(*run) for run in runs if run[0] != BASE_VARIANT]
    files = [file for file in files if file.is_file()]
    return files + (
        [results.facts_file, *results.benchmark_files] if results.facts_file.is_file() else []
    )


def manifest_files(results: Results, runs: Sequence[tuple[str, int]]) -> list[Path]:
    """Return the manifests of these runs and their evaluations: the seconds and the machines."""
    folders = [results.layout.evaluation(variant, seed) for variant, seed in runs]
    folders += [results.layout.run(v, seed) for v, seed in runs if v != BASE_VARIANT]
    return [folder / "manifest.json" for folder in folders]
