"""Find the final answer in a completion.

Every rule reads the completion in time linear in its length: completions are written by a model
that is rewarded for the outcome, so a quadratic scan would be found.
"""

import re
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

_ARGUMENT = r"\s*(?:\d|\{[^{}]*\})"
_BARE = (
    rf"\\[dtc]?frac{_ARGUMENT}{{2}}|\\sqrt{_ARGUMENT}|[-+]?(?:\d++(?:[.,]\d++)*+(?:/\d++)?|\.\d++)"
)
_LETTER = r"(?:[a-zA-Z]|\\[a-zA-Z]++)(?=\s*(?:\$|\\[)\]]))"  # else a mention, `\boxed as asked`
_BOX = re.compile(
    rf"\\(?:boxed|fbox)\s*(?:\{{|(?P<bare>(?:{_BARE})(?=[\s.,;:!?$)*]|\\[)\]]|$)|{_LETTER}))"
)
_BRACE = re.compile(r"\\.|[{}]", re.DOTALL)
_TAG = re.compile(r"<(/?)answer>", re.IGNORECASE)
# Without "final" prose often follows ("the answer is not obvious"): a formula or a choice has to.
_FINAL = re.compile(
    r"\bfinal answer is|\banswer is(?=[\s:*_]*(?:[-+]?[\d.$\\(\[{]|[a-z] ?[=^+]|[A-J][\s.*_]*$))",
    re.IGNORECASE | re.MULTILINE,
)
_COLON = re.compile(
    r"\banswer[\s*_]*[:\uff1a]|^[ \t#*_]*(?:final[ \t]+)?answer[ \t*_]*$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADING = re.compile(r"[ *_]*(?:final )?answer[ *_:]*", re.IGNORECASE)
_LEAD = " \t\r\n:*_`}"
_FORMULA = (
    r"(?:\$\$(?:\\[\s\S]|[^$\\])++\$\$|\$(?:\\.|[^$\\\n])++\$"
    r"|\\\[(?:\\[^\]]|[^\\])++\\\]|\\\((?:\\[^)\n]|[^\\\n])++\\\))"
)
_FORMULAS = re.compile(rf"{_FORMULA}(?:[ \t]*(?:(?:,[ \t]*and|,|and|or)[ \t]*)?{_FORMULA})*")
_SENTENCE_END = re.compile(r"\.(?:\s|\*|$)")


class Rule(NamedTuple):
    """How to find an answer, and whether that answer may be an expression.

    `symbolic` False: only numbers are answers, everything else is wrong without asking sympy.
    """

    find: Callable[[str], str | None]
    symbolic: bool = True


def _boxed(completion: str) -> str | None:
    """Content of the last box, or the number behind it; None where its brace never closes."""
    box = _last(_BOX, completion)
    if box is None:
        return None
    if box["bare"]:
        return box["bare"]
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
    """The formulas behind the last match, else its line or the next, to the end of the sentence."""
    last = _last(pattern, text)
    if last is None:
        return None
    rest = text[last.end() :].lstrip(_LEAD)
    formulas = _FORMULAS.match(rest)
    if formulas:
        return formulas[0]
    return _SENTENCE_END.split(rest.partition("\n")[0], maxsplit=1)[0].rstrip(" *_`")


def _answer_tag(completion: str) -> str | None:
    """Content of the last `<answer>...</answer>`; None where the last tag never closes."""
    tags = deque(_TAG.finditer(completion), maxlen=2)
    if [tag[1] for tag in tags] != ["", "/"]:
        return None
    return completion[tags[0].end() : tags[1].start()]


def _gsm8k(completion: str) -> str | None:
    _, mark, rest = completion.rpartition("####")
    line = rest.partition("\n")[0]
    return line if mark and not _HEADING.fullmatch(line) else None


def _equals(completion: str) -> str | None:
    _, mark, rest = completion.rpartition("=")
    return rest if mark else None


RULES: dict[str, Rule] = {
    "boxed": Rule(_boxed),
    "answer_tag": Rule(_answer_tag),
    "gsm8k": Rule(_gsm8k),
    "final_answer": Rule(lambda text: _after_last(_FINAL, text)),
    "answer_colon": Rule(lambda text: _after_last(_COLON, text)),
    "equals": Rule(_equals, symbolic=False),
}
"""Every extraction rule by name: last box; `<answer>x</answer>`; `#### x`; "the answer is x";
"Answer: x"; `=x`."""

DEFAULT_RULES = ("boxed", "answer_tag", "gsm8k", "final_answer", "answer_colon")


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
    """The first non-empty answer with the rule that found it; `rules` are checked names.

    What stands behind a thought (`</think>`) comes first. In a thought only a box counts, and only
    where nothing else is found.
    """
    said = completion.rpartition("</think>")[2].partition("<think>")[0]
    found = _first(said, rules)
    if found is None and len(said) < len(completion) and "boxed" in rules:
        return _first(completion, ("boxed",))
    return found


def _first(text: str, rules: Sequence[str]) -> tuple[str, Rule] | None:
    for name in rules:
        answer = RULES[name].find(text)
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
