"""Rows of the published layouts: right question, right answer, or an error that says which row."""

import pytest
from hub_layout import row

from maspo.errors import DataError
from maspo.tasks.rows import json_row, verl_row


def test_a_verl_row_is_read():
    read = verl_row(row("What?", "5", "math_dapo"), "here")
    assert read == ("What?", "5", "math_dapo")
    system = {"role": "system", "content": "Think."}
    with_system = {**row("What?", "5", "a"), "prompt": [system, *row("What?", "5", "a")["prompt"]]}
    assert verl_row(with_system, "here").question == "What?"


@pytest.mark.parametrize("roles", [[], ["system"], ["user", "assistant"], ["user", "user"]])
def test_other_conversations_are_refused(roles):
    prompt = [{"role": role, "content": "x"} for role in roles]
    with pytest.raises(DataError, match=r"here: the prompt has roles"):
        verl_row({**row("", "5", "a"), "prompt": prompt}, "here")


@pytest.mark.parametrize("answer", [None, float("nan"), {"value": "5"}, ""])
def test_a_gold_answer_of_another_shape_is_refused(answer):
    with pytest.raises(DataError, match=r"here: .*gold answer"):
        verl_row(row("What?", answer, "a"), "here")
    with pytest.raises(DataError, match=r"here: .*gold answer"):
        json_row({"problem": "P", "answer": answer}, "here")


def test_a_verl_row_without_an_answer_is_refused():
    with pytest.raises(DataError, match="no gold answer"):
        verl_row({**row("What?", "5", "a"), "reward_model": None}, "here")


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ({"problem": "P", "question": "P", "answer": 27.0}, ("P", "27", "")),
        ({"question": "Q", "final_answer": ["1", "2"], "solution": []}, ("Q", "1, 2", "")),
        (
            {"problem": "P", "solution": "\\boxed{1} so \\boxed{\\frac{1}{2}}"},
            ("P", "\\frac{1}{2}", ""),
        ),
    ],
)
def test_json_rows_are_read(published, expected):
    assert json_row(published, "here") == expected


@pytest.mark.parametrize(
    ("published", "named"),
    [({"answer": 1}, "no 'question', only \\['answer'\\]"), ({"problem": "P"}, "no gold answer")],
)
def test_json_rows_without_a_part_are_refused(published, named):
    with pytest.raises(DataError, match=f"here: .*{named}"):
        json_row(published, "here")
