"""Where the answer is found, and that finding it takes linear time."""

import time

import pytest

from maspo.verifier import DEFAULT_RULES, RULES, extract


@pytest.mark.parametrize(
    ("completion", "answer"),
    [
        (r"so \boxed{12}", "12"),
        (r"\boxed{1} then \boxed{2}", "2"),
        (r"\boxed{\frac{1}{\sqrt{2}}} done", r"\frac{1}{\sqrt{2}}"),
        (r"\boxed{\{1,2\}}", r"\{1,2\}"),
        (r"\boxed{12}, in \boxed as told", "12"),
        (r"\boxed{12} then \boxed{13", None),
        ("#### 7\nrest", "7"),
        ("The final answer is $\\frac{1}{2}$. I hope it is correct.", r"$\frac{1}{2}$"),
        ("Answer: 3.5. That is all", "3.5"),
        ("so \\boxed 12.", "12"),
        ("<answer> 7 </answer>", "7"),
        ("the answer is not clear", None),
        ("<think>\\boxed{1}</think> the answer is 2.", "2"),
        ("<think>\\boxed{1}</think> I am sure", "1"),
        ("<think>\\boxed{1}</think> \\boxed{2", None),
        ("**Final Answer**\n\n$2$ apples", "$2$"),
        ("nothing here", None),
    ],
)
def test_default_rules(completion, answer):
    assert extract(completion, DEFAULT_RULES) == answer


def test_rules_are_tried_in_the_given_order():
    text = "#### 1\n\\boxed{2}"
    assert extract(text, ("boxed", "gsm8k")) == "2"
    assert extract(text, ("gsm8k", "boxed")) == "1"


@pytest.mark.parametrize(
    ("completion", "answer"),
    [("+7=a*2=k", "k"), ("+7=a=05", "05"), ("+7*2", None), ("+7=", None), ("+7==a", "a")],
)
def test_equals_reads_what_follows_the_last_sign(completion, answer):
    assert extract(completion, ("equals",)) == answer


def test_an_unknown_rule_names_the_valid_ones():
    with pytest.raises(ValueError, match=r"unknown \['boks'\].*boxed.*gsm8k.*equals"):
        extract("x", ("boks",))
    with pytest.raises(ValueError, match="give one or more"):
        extract("x", ())


@pytest.mark.parametrize("rule", list(RULES))
@pytest.mark.parametrize(
    "piece",
    [
        *("\\boxed{", "\\boxed ", "\\boxed 1", "\\boxed\\frac{", "}", "#", "#### ", "\\", "$ "),
        *("final answer is ", "answer is ", "answer **", "answer\n", "Answer: $", "Answer: \\["),
        *("<answer>", "</answer>", "<think>", "</think>"),
    ],
)
def test_time_grows_linearly(rule, piece):
    def seconds(count):
        best = float("inf")
        for _ in range(3):
            start = time.process_time()
            extract(piece * count, (rule,))
            best = min(best, time.process_time() - start)
        return best

    small, large = seconds(20_000), seconds(160_000)
    assert large < 24 * small + 0.02  # 8 times the text; quadratic would be 64 times
