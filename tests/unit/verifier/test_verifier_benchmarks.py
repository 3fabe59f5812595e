"""Real gold answers verify against themselves and not against each other."""

import json
from pathlib import Path

import gold_answers
import pytest

from benchmark_files import NEEDED
from maspo.verifier import Verdict

pytestmark = NEEDED
EXCEPTIONS = json.loads(Path(__file__).with_name("gold_exceptions.json").read_text())


@pytest.fixture(scope="module")
def golds():
    return gold_answers.load()


@pytest.mark.parametrize(
    ("form", "template"),
    [
        ("plain", "Answer: {}"),
        ("boxed", "Adding both sides, we get the answer $\\boxed{{{}}}$, and we are done."),
    ],
)
def test_every_gold_answer_verifies_against_itself(verifier, golds, form, template):
    answers = [gold.answer for gold in golds]
    verdicts = verifier.grade_many([template.format(answer) for answer in answers], answers)
    failed = {
        gold.problem
        for gold, verdict in zip(golds, verdicts, strict=True)
        if verdict is not Verdict.CORRECT
    }
    assert len(golds) == 1547
    assert failed == set(EXCEPTIONS[form])


@pytest.mark.slow
def test_different_gold_answers_are_not_equal(verifier, golds):
    """2,000 pairs; `benchmarks/verifier.py` grades the first 20,000 of the same sequence."""
    pairs = gold_answers.pairs(golds, 2000)
    verdicts = verifier.grade_many(
        [f"\\boxed{{{other.answer}}}" for _, other in pairs], [gold.answer for gold, _ in pairs]
    )
    for (gold, other), verdict in zip(pairs, verdicts, strict=True):
        if f"{gold.problem} {other.problem}" in EXCEPTIONS["equal pairs"]:
            continue
        expected = {Verdict.WRONG}
        if gold.problem in EXCEPTIONS["unreadable"]:
            expected.add(Verdict.ERROR)
        if {gold.problem, other.problem} & set(EXCEPTIONS["slow"]):
            expected.add(Verdict.TIMEOUT)
        assert verdict in expected, (gold, other)
