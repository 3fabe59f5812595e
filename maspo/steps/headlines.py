"""What a step tells at its end: the figures that a person looks for first."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sized
from itertools import chain
from pathlib import Path
from statistics import fmean
from typing import Any

import pyarrow as pa

from maspo.files import read_json_lines
from maspo.inert import printable
from maspo.verifier import Verdict

PART = 10  # a tenth of a log at each end: single steps are noisy


def log_headlines(folder: Path) -> Iterator[str]:
    """Yield means of the first and of the last tenth of a log: of a base policy, or of a run."""
    rows = read_json_lines(folder / "metrics.jsonl")
    part = max(1, len(rows) // PART)
    yield f"first -> last {part} of {len(rows)} logged steps, means:"
    named = ("reward", "entropy", "completion_length") if "reward" in rows[0] else ("loss",)
    for name in filter(rows[0].__contains__, named):  # verl's logs may lack some
        first, last = (sum(row[name] for row in end) / part for end in (rows[:part], rows[-part:]))
        yield f"  {name} {first:.4g} -> {last:.4g}"


def score_headlines(records: pa.Table) -> Iterator[str]:
    """Yield Avg@k and Pass@k of each benchmark, and what was not graded.

    By pyarrow alone: an evaluation need not import pandas.
    """
    problems: dict[str, list[list[str]]] = {}  # by benchmark, the verdicts of each problem
    grouped = records.group_by(["benchmark", "problem"], use_threads=False)
    for row in grouped.aggregate([("verdict", "list")]).to_pylist():
        problems.setdefault(row["benchmark"], []).append(row["verdict_list"])
    means = []
    for benchmark, verdicts in problems.items():
        counts, k = Counter(chain.from_iterable(verdicts)), len(verdicts[0])
        solved = sum(Verdict.CORRECT.value in of_one for of_one in verdicts)
        means.append((counts[Verdict.CORRECT.value] / counts.total(), solved / len(verdicts)))
        odd = counts[Verdict.TIMEOUT.value] + counts[Verdict.ERROR.value]
        yield (
            f"{printable(benchmark)}: Avg@{k} {means[-1][0]:.1%}, Pass@{k} {means[-1][1]:.1%} of "
            f"{len(verdicts)} problems" + (f"; {odd} timeouts and errors" if odd else "")
        )
    avg, passed = (fmean(values) for values in zip(*means, strict=True))
    yield f"mean of benchmarks: Avg {avg:.1%}, Pass {passed:.1%}"


def problem_headlines(training: Mapping[str, Sized], benchmarks: Mapping[str, Sized]) -> list[str]:
    """Return how many problems each file has."""
    return [
        f"{kind}: " + ", ".join(f"{name} {len(problems):,}" for name, problems in files.items())
        for kind, files in (("training problems", training), ("benchmarks", benchmarks))
    ]


def claim_headlines(claims: Mapping[str, Any]) -> list[str]:
    """Return how many claims have each verdict."""
    counts = Counter(claim["verdict"] for claim in claims["claims"])
    return ["claims: " + ", ".join(f"{count} {verdict}" for verdict, count in counts.most_common())]
