"""Rows of the published files, in the layouts they have, as bare (question, answer) pairs."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from maspo.errors import DataError
from maspo.verifier import extract, gold_text

VERL_COLUMNS = ("data_source", "prompt", "reward_model")


class Row(NamedTuple):
    """One row: the question as published, its gold answer, and what the row says it is from."""

    question: str
    answer: str
    source: str


def verl_row(row: Mapping[str, Any], where: str) -> Row:
    """Read a row in the layout of verl: `prompt` messages, `reward_model.ground_truth`.

    Raises:
        DataError: the prompt is not one user message, or the answer is missing.
    """
    messages = row["prompt"]
    asked = [message for message in messages if message["role"] != "system"]
    if [message["role"] for message in asked] != ["user"]:
        raise DataError(
            f"{where}: the prompt has roles {[message['role'] for message in messages]}, "
            "expected one user message (a system message is dropped)"
        )
    answer = gold_text((row["reward_model"] or {}).get("ground_truth"), where)
    return Row(asked[0]["content"], answer, str(row["data_source"]))


def json_row(row: Mapping[str, Any], where: str) -> Row:
    r"""Read a row of a benchmark's own JSONL file.

    The question is `problem` or `question`; the answer is `final_answer`, else `answer`, else
    the last ``\boxed{}`` of `solution`.

    Raises:
        DataError: there is no question or no answer.
    """
    question = row.get("problem") or row.get("question")
    if not question:
        raise DataError(f"{where}: no 'problem' and no 'question', only {sorted(row)}")
    for name in ("final_answer", "answer"):
        if row.get(name) is not None:
            return Row(question, gold_text(row[name], where), "")
    return Row(question, gold_text(extract(row.get("solution") or "", ("boxed",)), where), "")
