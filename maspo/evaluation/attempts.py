"""Which facts of modular arithmetic completions attempt, read from their texts alone."""

import re
from collections.abc import Iterator, Mapping

import pandas as pd

from maspo.config.task import RESIDUES
from maspo.errors import DataError

STEP = re.compile(rf"([+*])([{RESIDUES}])=([{RESIDUES}])")


def attempted(start: str, completion: str) -> Iterator[tuple[str, str]]:
    """Yield (fact, stated result) of each step of a completion, such as ``("k+3", "n")``.

    `start` is the first residue of the question; from then on a step begins at what the one before
    stated, right or wrong. The first text that is no step ends it.
    """
    place = 0
    while step := STEP.match(completion, place):
        operator, operand, result = step.groups()
        yield start + operator + operand, result
        start, place = result, step.end()


def count_attempts(
    records: pd.DataFrame, questions: Mapping[str, str], results: Mapping[str, str]
) -> pd.DataFrame:
    """Return how often each fact was attempted, and with the right result.

    Args:
        records: of one policy.
        questions: by the problem's id.
        results: of every fact, such as ``{"k+3": "n"}``; steps that are none of them do not count.

    Returns:
        Columns attempts and right, one row a fact in the order of `results`.

    Raises:
        DataError: a record of a problem that is not among the questions.
    """
    counts = {fact: [0, 0] for fact in results}
    for (problem, text), times in records.value_counts(["problem", "text"], sort=False).items():
        if problem not in questions:
            raise DataError(f"problem {problem} is in no benchmark: evaluate the policy again")
        for fact, stated in attempted(questions[problem][0], text):
            if fact in counts:
                counts[fact][0] += times
                counts[fact][1] += times * (stated == results[fact])
    return pd.DataFrame.from_dict(counts, orient="index", columns=["attempts", "right"])
