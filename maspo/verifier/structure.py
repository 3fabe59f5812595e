r"""Take an answer apart as it is written: lists, chains, cases, plus-minus. Text in, text out.

A mark counts where no bracket, brace or environment is open: `(1,2), (3,4)` has two elements.
"""

import re
from typing import NamedTuple

from maspo.verifier.exact import quantity
from maspo.verifier.text import GREEK, plain

_END = r"(?![a-zA-Z])"


def _word(word: str, *commands: str) -> str:
    alone = rf"\\text ?\{{ ?,? ?{word} ?,? ?\}}|(?<![a-zA-Z\\]){word}{_END}"
    return rf",? ?(?:{alone}|\\(?:{'|'.join(commands)}){_END})"


OR = _word("or", "lor", "vee")
AND = _word("and", "land", "wedge")
INEQUALITY = rf"[<>]|\\(?:leq|geq|neq){_END}"
RELATION = rf"{INEQUALITY}|=|\\(?:approx|in|notin|equiv|subset){_END}"
_CHAIN = rf"(?<![:<>=])=(?![=<>])|\\(?:approx|in){_END}"
_LIST = rf"{OR}|{AND}|[,;]"
_SPACED_LIST = rf"{OR}|{AND}|;|,(?!(?<=\d,)\d{{3}}(?!\d))"  # in `1,000, 2,000`

_ACCENT = "text|operatorname|overline|bar|vec|hat|mathcal|overrightarrow"
_LETTER = rf"(?:[a-zA-Z]|\\(?:{GREEK}){_END}|\\(?:{_ACCENT}) ?\{{[a-zA-Z ]+\}}) ?"
_SYMBOL = rf"{_LETTER}(?:_ ?(?:\{{(?:[^{{}}]|\{{[^{{}}]*\}})*\}}|[a-zA-Z0-9]) ?)?(?:'+ ?)?"
_ARGUMENT = rf"-?(?:\d+|(?:{_SYMBOL})+)"
_PLAIN_NAME = (
    rf"(?:m? ?\\(?:angle|triangle){_END} ?)?"
    rf"(?:(?:{_SYMBOL})+(?:\( ?{_ARGUMENT}(?:, ?{_ARGUMENT})*\))?"
    rf"|[fgh] ?\^ ?\{{ ?-1 ?\}} ?\( ?{_ARGUMENT}\))"
)
_NAME = re.compile(
    rf"{_PLAIN_NAME}|\( ?{_PLAIN_NAME}(?: ?, ?{_PLAIN_NAME})+ ?\)|\[ ?[A-Z]{{3,}} ?\]"
)
_CONSTANTS = frozenset("ei")
_NAME_MARKS = re.compile(r"[\\{} ]")
_BUILDER = re.compile(rf"(.+?) ?(?:\\(?:mid|vert){_END}|[|:]) ?(.+)", re.DOTALL)
_CASES = re.compile(
    r"(?:\\\{ ?\\begin ?\{(?:array|aligned)\}(?: ?\{[lcr| ]*\})?|\\begin ?\{d?cases\})"
    r"(?P<rows>.*)\\end ?\{(?:array|aligned|d?cases)\}(?: ?\.)?",
    re.DOTALL,
)
_CONDITION_TEXT = re.compile(r"\\text ?\{ ?,? ?((?:if|for|when)(?![a-z])[^{}]*|)\}")
_CONDITION = re.compile(r"^(?:if|for|when)(?![a-z]) ?|[ ,.;]+$")


class Chain(NamedTuple):
    r"""Sides said to be equal behind their names: `x = 2+3 = 5`, `5 = x`, `x \in S`."""

    names: tuple[str, ...]
    values: tuple[str, ...]
    near: tuple[str, ...]  # sides behind an approximation sign, but for the first value
    member: bool


def parts(text: str, marks: str) -> list[tuple[str, str]]:
    """(mark before it, text) of each part between top-level marks; the first mark is ''."""
    token = re.compile(
        rf"(?P<open>\\begin{_END}|\\\{{|[{{(\[])|(?P<close>\\end{_END}|\\\}}|[}})\]])"
        rf"|(?P<mark>{marks})|\\[a-zA-Z]+|\\.|.",
        re.DOTALL,
    )
    found, depth, start, before = [], 0, 0, ""
    for piece in token.finditer(text):
        if piece["open"]:
            depth += 1
        elif piece["close"]:
            depth -= 1
        elif piece["mark"] and depth == 0:
            found.append((before, text[start : piece.start()].strip()))
            before, start = piece["mark"].strip(), piece.end()
    return [*found, (before, text[start:].strip())]


def _texts(text: str, marks: str) -> list[str]:
    return [part for _, part in parts(text, marks)]


def has(text: str, marks: str) -> bool:
    """Whether one of the marks is at the top level."""
    return len(parts(text, marks)) > 1


def elements(text: str) -> list[str]:
    r"""The answers of a list or a written-out set; one answer is a list of one.

    A set holds each element once; in a list, as in `16,3,1,1`, what is there twice counts twice.
    `\pm` gives two, with `\mp` for the other sign; a second `\pm` leaves open how many are meant,
    and the text stays whole. A system of equations gives its rows.
    """
    rows = cases(text)
    if rows and all(len(row) == 1 for row in rows):
        return [row[0] for row in rows]
    inner = _inside_braces(text)
    written_out = inner is not None and not has(inner, r"\\mid|[|:]")
    if written_out:
        text = inner
    if quantity(text) is None:
        found = _texts(text, _SPACED_LIST if ", " in text else _LIST)
    else:
        found = [text]
    versions = [version for part in found for version in _both_signs(part)]
    return list(dict.fromkeys(versions)) if written_out else versions


def _both_signs(text: str) -> list[str]:
    if len(re.findall(rf"\\pm{_END}", text)) != 1:
        return [text]
    return [
        re.sub(rf"\\mp{_END} ?", lower, re.sub(rf"\\pm{_END} ?", upper, text))
        for upper, lower in (("+", "-"), ("-", "+"))
    ]


def _inside_braces(text: str) -> str | None:
    r"""What is in `\{...\}` where that is all of the text."""
    if not (text.startswith(r"\{") and text.endswith(r"\}")):
        return None
    inner = text[2:-2].strip()
    depth = 0
    for brace in re.findall(r"\\.", inner):
        depth += (brace == r"\{") - (brace == r"\}")
        if depth < 0:
            return None
    return inner


def condition(text: str) -> str | None:
    r"""The condition of a set in builder form, `x > 2` of `\{x \mid x > 2\}`, else None."""
    inner = _inside_braces(text)
    built = _BUILDER.fullmatch(inner) if inner else None
    return built[2] if built and is_name(_texts(built[1], rf"\\in{_END}")[0]) else None


def states_region(text: str) -> bool:
    r"""Whether the text is made of inequalities, or of memberships joined by `or`."""
    joined = has(text, OR) and has(text, rf"\\in{_END}")
    return joined or has(text, INEQUALITY) or condition(text) is not None


def is_name(text: str) -> bool:
    """Whether the text can name a value: `x`, `f(x)`, `AB`, `(r,\\theta)`; no sum, no constant."""
    return _NAME.fullmatch(text) is not None and text not in _CONSTANTS


def same_name(name: str, other: str) -> bool:
    """Whether two names are one, apart from wrappers and spaces."""
    return _NAME_MARKS.sub("", plain(name)) == _NAME_MARKS.sub("", plain(other))


def chain(text: str) -> Chain | None:
    """The text as a chain of equal sides; None where it is none or a side is missing."""
    sides = parts(text, _CHAIN)
    if len(sides) == 1 or not all(side for _, side in sides):
        return None
    member = r"\in" in (mark for mark, _ in sides)
    count = 0
    while count < len(sides) - 1 and is_name(sides[count][1]):
        count += 1
    names, rest = [side for _, side in sides[:count]], sides[count:]
    if member and (len(rest) > 1 or not names):
        return None
    if len(sides) == 2 and not names and is_name(rest[1][1]):
        names, rest = [rest[1][1]], rest[:1]
    exact = 1
    while exact < len(rest) and rest[exact][0] == "=":
        exact += 1
    values = [side for _, side in rest]
    return Chain(tuple(names), tuple(values[:exact]), tuple(values[exact:]), member)


def cases(text: str) -> list[list[str]] | None:
    """The rows of a case distinction or a system, cell by cell without `if`; None for others."""
    found = _CASES.fullmatch(text)
    if not found:
        return None
    rows = [row for row in _texts(found["rows"], r"\\\\") if row]
    return [
        [_CONDITION.sub("", _CONDITION_TEXT.sub(r"\1", cell).strip()) for cell in _texts(row, "&")]
        for row in rows
    ]
