"""The public table of attacks, `tests/data/verifier_cases.jsonl`."""

import json
from pathlib import Path

import pytest

from maspo.verifier import DEFAULT_RULES, Verdict, Verifier

pytestmark = pytest.mark.xdist_group("verifier_cases")  # they share one grading of the table
TABLE = Path(__file__).resolve().parents[2] / "data" / "verifier_cases.jsonl"
CASES = [json.loads(line) for line in TABLE.read_text().splitlines()]


def completion(case: dict) -> str:
    """The completion, its long repeats written out."""
    parts = case["completion"]
    if isinstance(parts, str):
        return parts
    return "".join(part if isinstance(part, str) else _repeat(*part["repeat"]) for part in parts)


def _repeat(piece: str, count: int) -> str:
    return piece * count


@pytest.fixture(scope="module")
def verdicts():
    """Every case graded once, in one batch per rule set.

    On a slow machine one right verdict took more than 1.5 seconds of CPU time.
    """
    graded = {}
    for rules in sorted({tuple(case.get("rules", DEFAULT_RULES)) for case in CASES}):
        cases = [case for case in CASES if tuple(case.get("rules", DEFAULT_RULES)) == rules]
        with Verifier(rules=rules, workers=2, cpu_seconds=4) as verifier:
            texts = [completion(case) for case in cases]
            found = verifier.grade_many(texts, [case["gold"] for case in cases])
        graded |= {case["id"]: verdict for case, verdict in zip(cases, found, strict=True)}
    return graded


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case, verdicts):
    assert verdicts[case["id"]] == case["expected"], case["reason"]


def test_the_table_is_complete():
    assert len(CASES) >= 200
    assert len({case["id"] for case in CASES}) == len(CASES)
    assert {case["expected"] for case in CASES} == set(Verdict)
    assert all(case["reason"] for case in CASES)


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_no_reward_for_anything_but_correct(case, verdicts):
    verdict = verdicts[case["id"]]
    assert verdict.reward == (1.0 if verdict is Verdict.CORRECT else 0.0)
