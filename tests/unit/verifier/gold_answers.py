"""The gold answers of the six real benchmarks, where they are (`benchmark_files`)."""

import json
import random
from collections.abc import Iterator
from typing import NamedTuple

from benchmark_files import BENCHMARKS, DIRECTORY
from maspo.verifier import extract
from maspo.verifier.text import clean


class Gold(NamedTuple):
    """One gold answer as a data loader would hand it to the verifier."""

    benchmark: str
    problem: str
    answer: str


def load() -> list[Gold]:
    """Every gold answer, in file order."""
    return [gold for benchmark in BENCHMARKS for gold in _load(benchmark)]


def pairs(golds: list[Gold], count: int) -> list[tuple[Gold, Gold]]:
    """The first `count` of a fixed random sequence of differing golds of one benchmark each."""
    rng = random.Random("pairs of gold answers")
    groups = [[gold for gold in golds if gold.benchmark == name] for name in BENCHMARKS]
    found: list[tuple[Gold, Gold]] = []
    while len(found) < count:
        one, other = rng.sample(rng.choice(groups), 2)
        if clean(one.answer) != clean(other.answer):
            found.append((one, other))
    return found


def _load(benchmark: str) -> Iterator[Gold]:
    lines = (DIRECTORY / f"{benchmark}.jsonl").read_text().splitlines()
    for row in map(json.loads, lines):
        name = row.get("unique_id", row.get("id", row.get("idx")))
        yield Gold(benchmark, f"{benchmark}/{name}", _answer(benchmark, row))


def _answer(benchmark: str, row: dict) -> str:
    if benchmark == "minerva_math":
        return extract(row["solution"], ("boxed",))
    if benchmark == "olympiadbench":
        return ", ".join(row["final_answer"])
    if benchmark == "amc23":
        return f"{row['answer']:g}"
    return str(row["answer"])
