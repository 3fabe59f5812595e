"""Verdicts derived again from the completions' text and the benchmarks' answers."""

from collections.abc import Iterator

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
            name = tree.name(path)
            answers = records["answer"].astype(object).where(records["answer"].notna(), None)
            keys = list(zip(records["benchmark"], records["problem"], strict=True))
            expected = [golds.get(key) for key in keys]
            judged = verifier.judge_many(
                records["text"].tolist(),
                [
                    given if gold is None else gold
                    for gold, given in zip(expected, records["gold"], strict=True)
                ],
            )
            rows = zip(keys, records.itertuples(), expected, answers, judged, strict=True)
            for key, row, gold, answer, judgement in rows:
                place = f"{' '.join(key)} sample {row.sample}"
                if gold != row.gold:
                    yield Finding("gold", name, f"gold {gold!r} for {place}", repr(row.gold))
                if judgement.verdict.value != row.verdict:
                    wanted = f"verdict {judgement.verdict.value} for {place}"
                    yield Finding("verdicts", name, wanted, str(row.verdict))
                elif judgement.answer != answer:
                    wanted = f"answer {judgement.answer!r} for {place}"
                    yield Finding("verdicts", name, wanted, repr(answer))
