"""Verdicts derived again from the completions' text and the benchmarks' answers."""

from collections.abc import Iterator

import pandas as pd

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree
from maspo.tasks import read_problems
from maspo.verifier import Verifier


def check_verdicts(tree: Tree) -> Iterator[Finding]:
    """Grade every completion again; the gold answer must be the benchmark's."""
    folder = tree.layout.data / "benchmarks"
    golds = {
        (path.stem, problem.id): problem.answer
        for path in sorted(folder.glob("*.parquet"))
        for problem in read_problems(path)
    }
    rules = tree.manifests["data/manifest.json"]["settings"]["extraction"]
    with Verifier(rules=rules) as verifier:
        for path, records in tree.graded():
            yield from faults(tree.name(path), records, golds, verifier)


def faults(
    name: str, records: pd.DataFrame, golds: dict[tuple[str, str], str], verifier: Verifier
) -> Iterator[Finding]:
    """Yield what golds, verdicts and answers of one file should have been."""
    keys = zip(records["benchmark"].tolist(), records["problem"].tolist(), strict=True)
    given = records["gold"].tolist()
    wanted = [golds.get(key) for key in keys]
    used = [old if gold is None else gold for gold, old in zip(wanted, given, strict=True)]
    judged = verifier.judge_many(records["text"].tolist(), used)
    verdicts = [judgement.verdict.value for judgement in judged]
    answers = records["answer"].astype(object).where(records["answer"].notna(), None).tolist()
    rows = zip(
        *(wanted, given, verdicts, records["verdict"].tolist()),
        *([judgement.answer for judgement in judged], answers),
        strict=True,
    )
    for i, (gold, had, verdict, stated, answer, read) in enumerate(rows):
        if gold == had and verdict == stated and answer == read:
            continue
        row = records.iloc[i]
        place = f"{row['benchmark']} {row['problem']} sample {row['sample']}"
        if gold != had:
            yield Finding("gold", name, f"gold {gold!r} for {place}", repr(had))
        if verdict != stated:
            yield Finding("verdicts", name, f"verdict {verdict} for {place}", str(stated))
        elif answer != read:
            yield Finding("verdicts", name, f"answer {answer!r} for {place}", repr(read))
