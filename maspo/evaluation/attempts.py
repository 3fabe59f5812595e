"""Which facts of modular arithmetic completions attempt, read from their texts alone."""

from collections.abc import Mapping

import pandas as pd

from maspo.errors import DataError
from maspo.tasks.modular import attempted


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
