"""Which facts of modular arithmetic completions attempt, read from their texts alone."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from maspo.errors import DataError
from maspo.tasks.modular import STEPS

WIDTH = len("+3=n")  # of a step, in characters


def count_attempts(
    records: pd.DataFrame, questions: Mapping[str, str], results: Mapping[str, str]
) -> pd.DataFrame:
    """Return how often each fact was attempted, and with the right result.

    The steps are those of `maspo.tasks.modular.attempted`, of all completions at once.

    Args:
        records: of one policy.
        questions: by the problem's id.
        results: of every fact, such as ``{"k+3": "n"}``; steps that are none of them do not count.

    Returns:
        Columns attempts and right, one row a fact in the order of `results`.

    Raises:
        DataError: a record of a problem that is not among the questions.
    """
    chains = []  # the first residue and the steps, such as k+3=n*5=m
    for problem, text in zip(records["problem"].tolist(), records["text"].tolist(), strict=True):
        if problem not in questions:
            raise DataError(f"problem {problem} is in no benchmark: evaluate the policy again")
        chains.append(questions[problem][0] + STEPS.match(text)[0])
    characters = np.array(chains, dtype="S")[:, None].view("S1")
    counts = {fact: [0, 0] for fact in results}
    for place in range(0, characters.shape[1] - WIDTH, WIDTH):
        steps = characters[:, place : place + WIDTH + 1]
        whole = np.ascontiguousarray(steps[steps[:, -1] != b""]).view(f"S{WIDTH + 1}")
        for step, times in zip(*np.unique(whole, return_counts=True), strict=True):
            fact, stated = step[:3].decode(), step[-1:].decode()
            if fact in counts:
                counts[fact][0] += int(times)
                counts[fact][1] += int(times) * (stated == results[fact])
    return pd.DataFrame.from_dict(counts, orient="index", columns=["attempts", "right"])
