"""Find the final answer in a completion.

Every rule reads the completion in time linear in its length: completions are written by a model
that is rewarded for the outcome, so a quadratic scan would be found.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

_BOX = re.compile(r"\\(?:boxed|fbox)\s*\{")
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_FINAL = re.compile(r"final answer is", re.IGNORECASE)
_COLON = re.compile(r"\banswer\s*:", re.IGNORECASE)
_FORMULA = r"\$\$?(?:\\.|[^$\\])+\$\$?"
_FORMULAS = re.compile(rf"{_FORMULA}(?:\s*(?:(?:,\s*and|,|and|or)\s*)?{_FORMULA})*")
_SENTENCE_END = re.compile(r"\.(?:\s|$)")


class Rule(NamedTuple):
    """How to find an answer, and whether that answer may be an expression.

    `symbolic` False: only numbers are answers, everything else is wrong without asking sympy.
    """

    find: Callable[[str], str | None]
    symbolic: bool = True


def _boxed(completion: str) -> str | None:
    """Content of the last box; None where its brace never closes."""
    box = _last(_BOX, completion)
    if box is None:
        return None
    depth = 1
    for token in _BRACE.finditer(completion, box.end()):
        if token[0] == "{":
            depth += 1
        elif token[0] == "}":
            depth -= 1
            if depth == 0:
                return completion[box.end() : token.start()]
    return None


def _last(pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    return next(iter(deque(pattern.finditer(text), maxlen=1)), None)


def _after_last(pattern: re.Pattern[str], text: str) -> str | None:
    """The rest of the line behind the last match, without a colon, emphasis and sentence end."""
    last = _last(pattern, text)
    if last is None:
        return None
    line = text[last.end() :].lstrip(" \t:*").partition("\n")[0]
    formulas = _FORMULAS.match(line)
    if formulas:
        return formulas[0]
    return _SENTENCE_END.split(line, maxsplit=1)[0].rstrip(" *")


def _gsm8k(completion: str) -> str | None:
    _, mark, rest = completion.rpartition("####")
    return rest.partition("\n")[0] if mark else None


def _equals(completion: str) -> str | None:
    _, mark, rest = completion.rpartition("=")
    return rest if mark else None


RULES: dict[str, Rule] = {
    "boxed": Rule(_boxed),
    "gsm8k": Rule(_gsm8k),
    "final_answer": Rule(lambda text: _after_last(_FINAL, text)),
    "answer_colon": Rule(lambda text: _after_last(_COLON, text)),
    "equals": Rule(_equals, symbolic=False),
}
"""Every extraction rule by name: last box; `#### x`; "final answer is x"; "Answer: x"; `=x`."""

DEFAULT_RULES = ("boxed", "gsm8k", "final_answer", "answer_colon")


def check_rules(rules: Sequence[str]) -> tuple[str, ...]:
    """The rules as a tuple.

    Raises:
        ValueError: a rule has an unknown name, or there is none.
    """
    names = (rules,) if isinstance(rules, str) else tuple(rules)
    unknown = [name for name in names if name not in RULES]
    if unknown or not names:
        raise ValueError(
            f"verifier rules {list(names)}: unknown {unknown}; give one or more of {list(RULES)}"
        )
    return names


def find(completion: str, rules: Sequence[str]) -> tuple[str, Rule] | None:
    """The first non-empty answer with the rule that found it; `rules` are checked names."""
    for name in rules:
        answer = RULES[name].find(completion)
        if answer is not None and (answer := answer.strip()):
            return answer, RULES[name]
    return None


def extract(completion: str, rules: Sequence[str] = DEFAULT_RULES) -> str | None:
    """The final answer of a completion by the first of `rules` that finds one, else None.

    The last box decides: an empty or unclosed one is no answer, and the next rule is tried.

    Raises:
        ValueError: a rule has an unknown name.
    """
    found = find(completion, check_rules(rules))
    return found[0] if found else None
