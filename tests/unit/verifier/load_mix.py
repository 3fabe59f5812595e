"""A realistic mix of completions with known verdicts, and faults among them."""

import random
from typing import NamedTuple

from maspo.verifier import Verdict

THOUGHT = "Let us go through this step by step, and check each of the steps once more. " * 12


class Item(NamedTuple):
    """One completion with what a correct grader says about it."""

    completion: str
    gold: str
    expected: Verdict


def mix(count: int, seed: int, hangs: float = 0.0, crashes: float = 0.0) -> list[Item]:
    """`count` items in random order, `hangs` and `crashes` as fractions of them.

    The rest: 80 % whole numbers, 8 % fractions and decimals, 2 % without an answer, 10 %
    expressions that need a sandbox. Half of all answers are right.
    """
    rng = random.Random(f"load mix {seed}")
    hung, crashed = round(count * hangs), round(count * crashes)
    items = [_fault("fault:hang", index, Verdict.TIMEOUT) for index in range(hung)]
    items += [_fault("fault:crash", index, Verdict.ERROR) for index in range(crashed)]
    items += [_item(rng, index) for index in range(count - hung - crashed)]
    rng.shuffle(items)
    return items


def _fault(name: str, index: int, expected: Verdict) -> Item:
    return Item(f"{THOUGHT}\\boxed{{{name} {index}}}", str(index), expected)


def _item(rng: random.Random, index: int) -> Item:
    right = rng.random() < 0.5
    answer, gold = _answer(rng, index, right)
    if answer is None:
        return Item(f"{THOUGHT}I do not know.", gold, Verdict.NO_ANSWER)
    expected = Verdict.CORRECT if right else Verdict.WRONG
    return Item(f"{THOUGHT}So we get $\\boxed{{{answer}}}$.", gold, expected)


def _answer(rng: random.Random, index: int, right: bool) -> tuple[str | None, str]:
    """An answer, right or off by one somewhere, and the gold answer; `index` keeps them apart."""
    kind, off = rng.random(), 0 if right else 1
    if kind < 0.80:
        return str(index + off), str(index)
    if kind < 0.88:
        return f"\\frac{{{2 * index + off}}}{{14}}", f"{index}/7"
    if kind < 0.90:
        return None, str(index)
    top, root = index + 2, rng.choice([2, 3, 5, 7])
    forms = (
        (f"{top + off}\\sqrt{{{root}}}", f"\\sqrt{{{root * top * top}}}"),
        (f"({top}, {root + off})", f"\\left({top}, \\frac{{{2 * root}}}{{2}}\\right)"),
        (f"x^2+{2 * top}x+{top * top + off}", f"(x+{top})^2"),
        (f"{top}\\pi+{off}", f"\\pi \\cdot {top}"),
    )
    return rng.choice(forms)
