"""What a completion attempts, from its text alone."""

from collections import Counter

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.errors import DataError
from maspo.evaluation.attempts import count_attempts
from maspo.tasks.modular import attempted


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("+3=n", [("k+3", "n")]),
        ("+3=n*5=m", [("k+3", "n"), ("n*5", "m")]),
        ("+3=0*5=m", [("k+3", "0"), ("0*5", "m")]),  # wrong, and the chain goes on from it
        ("+3=n*5m=2", [("k+3", "n")]),  # the tail is no step
        ("+3=n+", [("k+3", "n")]),
        ("r*2=b", []),  # malformed from the start
        ("+3=N", []),
        ("", []),
    ],
)
def test_steps_start_at_what_the_completion_stated(text, steps):
    assert list(attempted("k", text)) == steps


def test_attempts_are_counted_over_completions():
    records = pd.DataFrame(
        [("a", "+3=n*5=m"), ("a", "+3=n*5=m"), ("a", "+3=0*5=0"), ("b", "*5=m"), ("b", "?")],
        columns=["problem", "text"],
    )
    facts = {"k+3": "n", "n*5": "m", "n+2": "p"}
    counts = count_attempts(records, {"a": "k+3*5?", "b": "n*5?"}, facts)
    assert counts.attempts.to_dict() == {"k+3": 3, "n*5": 3, "n+2": 0}
    assert counts.right.to_dict() == {"k+3": 2, "n*5": 3, "n+2": 0}
    with pytest.raises(DataError, match="problem b is in no benchmark"):
        count_attempts(records, {"a": "k+3*5?"}, facts)


@given(st.lists(st.text("+*35=kn?N\nä", max_size=14) | st.just("+3=k+3=n*5=k"), min_size=1))
def test_counts_are_those_of_each_completion_read_alone(texts):
    facts = {"k+3": "n", "n*5": "k", "n+3": "n"}
    read = Counter(pair for text in texts for pair in attempted("k", text))
    records = pd.DataFrame({"problem": "a", "text": texts})
    counts = count_attempts(records, {"a": "k+3?"}, facts)
    for fact, result in facts.items():
        times = sum(n for (name, _), n in read.items() if name == fact)
        assert counts.loc[fact].tolist() == [times, read[fact, result]]
