"""What callers import, and what they are told when they call it wrongly."""

import pytest

from maspo.verifier import GRADER_VERSION, Judgement, Verdict, Verifier, extract, grade


def test_one_answer():
    assert grade("... so \\boxed{12}", gold="12") is Verdict.CORRECT
    assert grade("... so \\boxed{13}", gold="12") is Verdict.WRONG
    assert grade("... so", gold="12") is Verdict.NO_ANSWER
    assert grade("+2=7", "7", rules=("equals",)) is Verdict.CORRECT


def test_one_expression():
    assert grade(r"\boxed{\frac{\sqrt 2}{2}}", r"\frac{1}{\sqrt{2}}") is Verdict.CORRECT


def test_reward_is_for_correct_only():
    assert {verdict: verdict.reward for verdict in Verdict} == {
        "correct": 1.0,
        "wrong": 0.0,
        "no_answer": 0.0,
        "timeout": 0.0,
        "error": 0.0,
    }


def test_judgements_keep_the_answer():
    with Verifier() as verifier:
        judged = verifier.judge_many([r"\boxed{ 1{,}000 }", "none"], ["1000", "1"])
    assert judged == [
        Judgement(Verdict.CORRECT, "1{,}000"),
        Judgement(Verdict.NO_ANSWER, None),
    ]


def test_numbers_start_no_process():
    with Verifier(workers=2) as verifier:
        verdicts = verifier.grade_many(["\\boxed{1/2}", "\\boxed{7}"], ["0.5", "8"])
        assert verdicts == [Verdict.CORRECT, Verdict.WRONG]
        assert verifier.pids == []
        verifier.grade_many(["\\boxed{x+1}"], ["1+x"])
        assert len(verifier.pids) == 1


def test_the_mini_task_starts_no_process():
    with Verifier(rules=("equals",)) as verifier:
        verdicts = verifier.grade_many(["+7=x+1", "=3+4", "=7"], ["7", "7", "7"])
        assert verdicts == [Verdict.WRONG, Verdict.WRONG, Verdict.CORRECT]
        assert verifier.pids == []


def test_grader_version_names_both_packages():
    assert GRADER_VERSION.startswith("maspo ")
    assert "math-verify 0." in GRADER_VERSION


def test_nothing_to_grade():
    with Verifier() as verifier:
        assert verifier.grade_many([], []) == []


def test_wrong_calls_say_what_is_wrong():
    with Verifier() as verifier:
        with pytest.raises(ValueError, match="2 completions against 1 gold"):
            verifier.grade_many(["a", "b"], ["1"])
        with pytest.raises(ValueError, match="gold answer 1 is ' '"):
            verifier.grade_many(["a", "b"], ["1", " "])
        with pytest.raises(TypeError, match="completion 0 is None"):
            verifier.grade_many([None], ["1"])
        with pytest.raises(TypeError, match=r"gold answer 0 is 27\.0"):
            verifier.grade_many(["a"], [27.0])
    with pytest.raises(ValueError, match="cpu_seconds=0"):
        Verifier(cpu_seconds=0)
    with pytest.raises(ValueError, match="unknown"):
        Verifier(rules=["last_line"])
    with pytest.raises(ValueError, match="unknown"):
        extract("a", ["last_line"])
