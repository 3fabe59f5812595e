"""No benchmark problem among the training problems."""

import re
from collections.abc import Iterator

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree
from maspo.tasks import Problem, read_problems


def check_leaks(tree: Tree) -> Iterator[Finding]:
    """Compare the questions of training and benchmarks, without case, spaces and punctuation."""
    training = {key(problem) for problem in read_problems(tree.layout.data / "train.parquet")}
    for path in sorted((tree.layout.data / "benchmarks").glob("*.parquet")):
        for problem in read_problems(path):
            if key(problem) in training:
                wanted = f"{path.stem} problem {problem.id} not in the training problems"
                yield Finding(
                    "leaks", "data/train.parquet", wanted, problem.messages[-1]["content"]
                )


def key(problem: Problem) -> str:
    """Return what identifies a question: operators count, spacing and case do not."""
    return re.sub(r"\s+", "", "".join(m["content"] for m in problem.messages)).casefold()
