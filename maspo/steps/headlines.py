"""What a step tells at its end: the figures that a person looks for first."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sized
from pathlib import Path
from typing import Any

import pyarrow as pa

from maspo.evaluation.scores import score
from maspo.files import read_json_lines
from maspo.inert import printable

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
    """Yield Avg@k and Pass@k of each benchmark, and what was not graded."""
    table = score(records.select(["benchmark", "problem", "verdict", "tokens"]).to_pandas())
    for row in table.to_dict("records"):
        k, odd = row["samples"], row["timeout"] + row["error"]
        yield (
            f"{printable(row['benchmark'])}: Avg@{k} {row['avg_at_k']:.1%}, "
            f"Pass@{k} {row['pass_at_k']:.1%} of {row['problems']} problems"
            + (f"; {odd} timeouts and errors" if odd else "")
        )
    means = table[["avg_at_k", "pass_at_k"]].mean()
    yield f"mean of benchmarks: Avg {means['avg_at_k']:.1%}, Pass {means['pass_at_k']:.1%}"


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
