"""Which completion was correct: one array a variant, from the records of its seeds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maspo.errors import DataError
from maspo.verifier import Verdict

AVERAGE = "average"  # the unweighted mean over benchmarks
KEYS = ["benchmark", "problem", "sample"]


@dataclass(frozen=True)
class Outcomes:
    """Correctness of every completion of one variant.

    Attributes:
        correct: (S seeds, P problems, N samples).
        benchmarks: of length P, the benchmark of each problem; tables follow the order in which
            they first appear.
        problems: of length P, names of the problems; optional, guards comparisons.
    """

    correct: NDArray[np.bool_]
    benchmarks: tuple[str, ...]
    problems: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        correct = self.correct
        if correct.ndim != 3 or correct.dtype != bool or correct.size == 0:
            raise DataError(
                f"outcomes of shape {correct.shape} and type {correct.dtype}: expected booleans of "
                "shape (seeds, problems, samples), each at least 1"
            )
        for name in ("benchmarks", "problems"):
            labels = getattr(self, name)
            if labels is not None and len(labels) != correct.shape[1]:
                raise DataError(f"{len(labels)} {name} for {correct.shape[1]} problems")
        if AVERAGE in self.benchmarks:
            raise DataError(f"a benchmark is called {AVERAGE!r}, the name of the tables' last row")

    @property
    def samples(self) -> int:
        """The number N of completions of each problem."""
        return self.correct.shape[2]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Correct completions of each seed and problem, (S, P)."""
        return self.correct.sum(axis=2)


def strata(benchmarks: Sequence[str]) -> Iterator[tuple[str, NDArray[np.int64]]]:
    """Yield each benchmark with the positions of its problems, in order of first appearance."""
    labels = np.asarray(benchmarks)
    for name in dict.fromkeys(benchmarks):
        yield name, np.flatnonzero(labels == name)


def outcomes(records: Sequence[pd.DataFrame]) -> Outcomes:
    """Return the outcomes of one variant from the records of its seeds, in the order given.

    Benchmarks keep the order of the first records; problems and samples are sorted by name, so
    the order of rows does not matter.

    Raises:
        DataError: no records, a sample that is there twice, or problems or samples that differ
            within or between seeds; the message names the benchmark and the problem.
    """
    if len(records) == 0 or any(frame.empty for frame in records):
        raise DataError("outcomes of no records: give the non-empty records of at least one seed")
    order = list(dict.fromkeys(records[0]["benchmark"]))
    keys, correct = zip(*(_sorted(frame, order) for frame in records), strict=True)
    for position, other in enumerate(keys[1:], start=2):
        if not keys[0].equals(other):
            merged = keys[0].merge(other, how="outer", indicator=True)
            lone = merged[merged["_merge"] != "both"].iloc[0]
            where = "first" if lone["_merge"] == "left_only" else f"{position}."
            raise DataError(
                f"seeds differ: benchmark {lone['benchmark']}, problem {lone['problem']}, sample "
                f"{lone['sample']} is in the {where} records and not in the "
                f"{f'{position}.' if where == 'first' else 'first'}; evaluate both with the same "
                "problems and number of samples"
            )
    sizes = keys[0].groupby(KEYS[:2], sort=False).size()
    samples = int(sizes.iloc[0])
    for (benchmark, problem), size in sizes[sizes != samples].items():
        raise DataError(
            f"benchmark {benchmark}, problem {problem} has {size} samples and others have "
            f"{samples}: every problem needs the same number"
        )
    benchmarks, problems = (sizes.index.get_level_values(level) for level in (0, 1))
    return Outcomes(
        np.stack(correct).reshape(len(records), len(sizes), samples),
        tuple(map(str, benchmarks)),
        tuple(map(str, problems)),
    )


def _sorted(frame: pd.DataFrame, order: list[str]) -> tuple[pd.DataFrame, NDArray[np.bool_]]:
    """Return the keys in table order and, aligned with them, which completion was correct."""
    twice = frame.duplicated(KEYS)
    if twice.any():
        first = frame[twice].iloc[0]
        raise DataError(
            f"benchmark {first['benchmark']}, problem {first['problem']}: sample "
            f"{first['sample']} is there twice"
        )
    rank = {name: i for i, name in enumerate(order)}
    places = frame["benchmark"].map(rank).fillna(len(rank)).to_numpy()
    rows = np.lexsort((frame["sample"], frame["problem"], places))
    keys = frame[KEYS].iloc[rows].reset_index(drop=True)
    return keys, frame["verdict"].eq(Verdict.CORRECT.value).to_numpy()[rows]
