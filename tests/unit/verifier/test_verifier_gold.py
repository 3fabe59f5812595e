"""Gold answers become text in one place, for the data step and both rewards."""

from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.errors import DataError
from maspo.integrations.conversations import completion_text, rewards
from maspo.integrations.verl.reward import compute_score
from maspo.verifier import Verifier, gold_text

REFUSED = [
    float("nan"),
    float("inf"),
    np.float64("nan"),
    {"answer": "7"},
    True,
    b"7",
    {"7"},
    7j,
    [1, {"a": 2}],
]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (27.0, "27"),
        (123456789.0, "123456789"),
        (0.5, "0.5"),
        (7, "7"),
        (" 204 ", "204"),
        ("None", "None"),
        (["1", "-1"], "1, -1"),
        (("1", 2.0), "1, 2"),
        (["$x$"], "$x$"),
        (np.int64(7), "7"),
        (np.float64(7.5), "7.5"),
        (np.array(["1", "2"], dtype=object), "1, 2"),
        (Decimal("7.0"), "7"),
        (Fraction(1, 2), "1/2"),
    ],
)
def test_answers_become_text(value, text):
    assert gold_text(value, "here") == text


@given(st.integers(-(10**15), 10**15))
def test_a_whole_float_is_its_integer(number):
    assert gold_text(float(number), "here") == str(number)


@pytest.mark.parametrize("value", [None, "", "  ", [], [""], [None], ["1", None]])
def test_a_missing_answer_is_named(value):
    with pytest.raises(DataError, match=r"file, row 3: there is no gold answer"):
        gold_text(value, "file, row 3")


@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_other_shapes_are_refused(value):
    with pytest.raises(DataError, match="file, row 3: the gold answer is"):
        gold_text(value, "file, row 3")


@pytest.mark.parametrize("value", [None, *REFUSED], ids=repr)
def test_the_reward_of_verl_names_the_row(value):
    with pytest.raises(DataError, match="data_source math, row 12: "):
        compute_score("math", r"\boxed{None}", value, {"index": 12})


def test_the_reward_of_verl_reads_numbers_and_lists():
    assert compute_score("math", r"\boxed{7}", 7)["score"] == 1.0
    assert compute_score("math", r"\boxed{2, 1}", np.array([1, 2]))["score"] == 1.0
    assert compute_score("math", r"\boxed{None}", "7", {"index": 1})["score"] == 0.0


@pytest.mark.parametrize("value", REFUSED, ids=repr)
def test_the_reward_of_trl_names_the_row(value):
    with Verifier() as verifier, pytest.raises(DataError, match="row 1 of the batch"):
        rewards(verifier, ["a", "b"], ["1", value])


def test_the_reward_of_trl_abstains_without_a_gold_answer():
    with Verifier() as verifier:
        found = rewards(verifier, [r"\boxed{1}", r"\boxed{1}", "1"], [1.0, None, "1"])
    assert found == [1.0, None, 0.0]


@pytest.mark.parametrize(
    ("completion", "text"),
    [
        ("plain", "plain"),
        ([{"role": "assistant", "content": "a"}], "a"),
        ([{"content": "a"}], "a"),
        (
            [
                {"role": "assistant", "content": "a"},
                {"role": "tool", "content": "12"},
                {"role": "assistant", "content": "b"},
                {"role": "tool", "content": "13"},
            ],
            "b",
        ),
        (
            [
                {
                    "role": "assistant",
                    "content": [
                        {"type": "text", "text": "so "},
                        {"type": "image"},
                        {"type": "text", "text": "12"},
                    ],
                }
            ],
            "so 12",
        ),
        ([{"role": "assistant", "content": None}], ""),
        ([{"role": "assistant"}], ""),
        ([{"role": "tool", "content": "12"}], ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_text_of_a_completion(completion, text):
    assert completion_text(completion) == text


def test_the_reward_of_verl_errs_at_the_rates_that_it_is_told():
    def scores(answer, **rates):
        graded = [compute_score("math", answer, "7", **rates) for _ in range(400)]
        assert {score["acc"] for score in graded} == {float(answer == r"\boxed{7}")}
        return sum(score["score"] for score in graded) / len(graded)

    right, wrong = r"\boxed{7}", r"\boxed{8}"
    assert scores(right, false_negatives=0.25) == pytest.approx(0.75, abs=0.11)  # five deviations
    assert scores(wrong, false_positives=0.25) == pytest.approx(0.25, abs=0.11)
    assert scores(right, false_positives=1.0) == 1.0
    assert scores(wrong, false_negatives=1.0) == 0.0
