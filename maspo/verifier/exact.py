r"""Numbers by exact rational arithmetic and words by text: no sympy, no evaluation.

A number is, with a sign or a dollar sign in front and a percent sign or a unit behind, one of
`1234`, `1,234`, `1{,}234`, `1 234`, `.5`, `2.50`, `0.1\overline{6}`, `4.5e33`,
`4.5 \times 10^{33}`, `10^{33}`, `3/4`, `\frac{3}{4}`, `1\frac{3}{4}`, `1 3/4`, `52_8`.
"""

import re
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from maspo.verifier import text
from maspo.verifier.units import compatible, split_unit

MAX_NUMBER_CHARS = 400
"""Longer texts are no numbers here: converting digits takes quadratic time."""

_INTEGER = r"(?:\d{1,3}(?:(?:,|\{,\}| )\d{3})+|\d+)"
_DECIMAL = rf"(?:{_INTEGER}(?:\.\d*)?|\.\d+)"
_SIGNED = rf"[-+]?{_DECIMAL}"
_EXPONENT = r"(?:\{[-+]?\d{1,3}\}|\d)"
_NUMBER = re.compile(
    rf"(?P<sign>[-+]?)(?P<dollar>\\\$)?(?:"
    rf"(?P<whole>\d+)?\\frac(?P<top>\{{{_SIGNED}\}}|\d)(?P<low>\{{{_SIGNED}\}}|\d)"
    r"|(?P<mixed>\d+) (?P<mixed_top>\d+)/(?P<mixed_low>\d+)"
    rf"|(?P<over>{_DECIMAL})/(?P<under>{_DECIMAL})"
    r"|(?P<head>\d*\.\d*)\\overline\{(?P<cycle>\d+)\}"
    rf"|10\^(?P<power>{_EXPONENT})"
    rf"|(?P<digits>\d+)_(?P<base>\{{\d+\}}|\d)"
    rf"|(?P<value>{_DECIMAL})"
    rf"(?:[eE](?P<e>[-+]?\d{{1,3}})|(?:\\times|\\cdot) ?10\^(?P<ten>{_EXPONENT}))?"
    r")(?P<percent> ?\\?%)?",
    re.ASCII,
)
ELLIPSIS = r"\ldots"
_SEPARATORS = str.maketrans("", "", ", {}")
_SPACED_DIGITS = re.compile(r"(?<![_^])\d (?=[\d.])")


class Quantity(NamedTuple):
    """An exact value and its unit ('' for none)."""

    value: Fraction
    unit: str

    def matches(self, other: "Quantity") -> bool:
        """Equal values; units must be equal where both have one."""
        return self.value == other.value and compatible(self.unit, other.unit)


def _fraction(digits: str) -> Fraction:
    """A decimal with separators and braces as an exact fraction."""
    return Fraction(digits.translate(_SEPARATORS))


@lru_cache(maxsize=8192)
def quantity(answer: str) -> Quantity | None:
    """The cleaned answer as an exact number with its unit, or None where it is none."""
    if len(answer) > MAX_NUMBER_CHARS:
        return None
    if answer.isascii() and answer.isdigit():
        return Quantity(Fraction(int(answer)), "")
    value, unit = split_unit(answer)
    match = _NUMBER.fullmatch(text.tight(value))
    if match is None:
        return None
    try:
        number = _magnitude(match.groupdict())
    except ZeroDivisionError:
        return None
    if match["percent"]:
        number /= 100
    if match["base"]:
        unit = f"base {match['base'].strip('{}')}"
    elif match["dollar"]:
        unit = unit or "dollar"
    return Quantity(-number if match["sign"] == "-" else number, unit)


def _magnitude(part: dict[str, str | None]) -> Fraction:
    """The matched number without sign and percent."""
    if part["top"]:
        fraction = _fraction(part["top"]) / _fraction(part["low"])
        return fraction + int(part["whole"] or 0)
    if part["mixed"]:
        return int(part["mixed"]) + Fraction(int(part["mixed_top"]), int(part["mixed_low"]))
    if part["over"]:
        return _fraction(part["over"]) / _fraction(part["under"])
    if part["cycle"]:
        whole, _, places = part["head"].partition(".")
        cycle = Fraction(int(part["cycle"]), 10 ** len(part["cycle"]) - 1)
        return (int(whole + places or 0) + cycle) / 10 ** len(places)
    if part["power"]:
        return Fraction(10) ** int(part["power"].strip("{}"))
    if part["digits"]:
        return Fraction(int(part["digits"]))
    exponent = part["e"] or (part["ten"] or "0").strip("{}")
    return _fraction(part["value"]) * Fraction(10) ** int(exponent)


@lru_cache(maxsize=8192)
def compare(answer: str, gold: str) -> bool | None:
    """Whether two cleaned answers are equal as text, words or numbers; None: cannot be said.

    A decimal equals only its own value: 0.333333 is not 1/3.
    """
    if text.hidden(answer):
        return False
    if answer == gold or text.plain(answer) == text.plain(gold):
        return True
    letter = text.choice(gold)
    if letter and letter == text.choice(answer):
        return True
    wanted = text.words(gold)
    if wanted is not None:
        return text.bare_words(answer) == wanted
    same_word = text.same_bare_word(answer, gold)
    if same_word is not None:
        return same_word
    if ELLIPSIS in answer or ELLIPSIS in gold:
        return False  # the grammar would leave it out
    number, target = quantity(answer), quantity(gold)
    if number is not None and target is not None:
        return number.matches(target)
    if number is None and _SPACED_DIGITS.search(answer):
        return False  # math-verify would add the parts: `2 3` is 5
    return None
