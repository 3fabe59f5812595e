r"""Bring LaTeX answers to one plain spelling, and take units off them; text in, text out."""

import re

_SPELLINGS = str.maketrans(
    {
        "−": "-",  # minus sign
        "–": "-",  # en dash
        "×": r"\times ",
        "π": r"\pi ",
        "∞": r"\infty ",
        "\u00a0": " ",
        "\u2009": " ",
        "\u202f": " ",
        "~": " ",
        **dict.fromkeys("\u200b\u200c\u200d\u2060\ufeff", ""),  # zero-width: show nothing
    }
)
_HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
_NOISE = re.compile(
    r"(?<!\\)\$|\\(?:left|right)(?![a-zA-Z.])|\\displaystyle(?![a-zA-Z])|(?<!\\)\\[!;:]"
)
_EDGES = re.compile(r"^\s*(?:\\\(|\\\[)|(?<!\\)(?:\\\)|\\\])\s*$")
_FRAC = re.compile(r"\\[dtc]frac(?![a-zA-Z])")
_EMPTY_SET = re.compile(r"\\varnothing(?![a-zA-Z])|∅")
_SPACE = re.compile(r"(?:\s|(?<!\\)\\[, ]|\\q?quad(?![a-zA-Z]))+")
_LIST_SPACE = r"(?!(?<=\d, )\d{3}(?!\d))"  # `1, 234` is a list and `1,234` a number
_FREE_SPACE = re.compile(rf"(?<![a-zA-Z0-9]) {_LIST_SPACE}| (?![a-zA-Z0-9])")
_WRAPPER = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mbox|rm)(?![a-zA-Z]) ?")
_WRAPPED = re.compile(_WRAPPER.pattern + r"\{([^{}]*)\}")
_UNIT = re.compile(
    r" ?(?P<degree>\^ ?(?:\{ ?\\circ ?\}|\\circ)|°)$"
    rf"| ?{_WRAPPER.pattern}\{{(?P<text>[^{{}}\d]*)\}}(?P<power> ?\^ ?(?:\{{\d\}}|\d))?$"
    r"|(?<=[\d}]) (?P<bare>[a-zA-Z]{2,}(?: [a-zA-Z]{2,})?)$"
)
_NOT_UNITS = frozenset(
    (
        *("hundred", "thousand", "million", "billion", "trillion", "dozen"),
        *("percent", "percentage", "pct", "pi", "inf", "infinity", "base", "mod"),
        *("factorial", "squared", "cubed", "plus", "minus", "times", "over", "by", "less", "more"),
        *("not", "no", "nor", "or", "and", "to", "than", "if", "for", "when", "where"),
        *("wrong", "incorrect", "sin", "cos", "tan", "log", "ln", "exp", "sqrt"),
    )
)


def hidden(text: str) -> bool:
    """Whether the text holds control, bidirectional or surrogate characters.

    Such an answer does not read as what it is; it is never equal to a gold answer.
    """
    return _HIDDEN.search(text) is not None


def clean(text: str) -> str:
    """The answer without dollar signs, sizing commands, a final period and doubled space."""
    text = _NOISE.sub("", text.translate(_SPELLINGS))
    text = _FRAC.sub(r"\\frac", _EDGES.sub("", text))
    text = _EMPTY_SET.sub(r"\\emptyset", text)
    return _SPACE.sub(" ", text).strip().removesuffix(".").rstrip()


def tight(text: str) -> str:
    """Cleaned text without the spaces that mean nothing; those between letters or digits stay."""
    return _FREE_SPACE.sub("", text)


def plain(text: str) -> str:
    """Cleaned text with text wrappers and meaningless spaces removed: equal keys, equal answers."""
    return tight(_WRAPPED.sub(r"\1", text).strip())


def words(text: str) -> str | None:
    r"""The words of a cleaned answer that is only `\text{...}`, casefolded, else None."""
    whole = _WRAPPED.fullmatch(text)
    return bare_words(whole[1]) if whole and not any(map(str.isdigit, whole[1])) else None


def bare_words(text: str) -> str:
    """Casefolded, without one pair of parentheses around it: `(B)` and `b` are one choice."""
    text = plain(text)
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return text.strip(" .").casefold()


def split_unit(text: str) -> tuple[str, str]:
    r"""Value and unit of a cleaned answer: `5\text{ cm}` gives `5` and `cm`; no unit gives ''.

    A unit is a degree sign, words in a text wrapper at the end, or one or two bare words of two
    letters and more behind a number. Words that change a number (million, percent) are no units.
    """
    found = _UNIT.search(text)
    if not found or not text[: found.start()].strip():
        return text, ""
    value = text[: found.start()].rstrip()
    if found["degree"]:
        return value, "degree"
    name = (found["text"] or found["bare"] or "").strip(" .").casefold()
    if _NOT_UNITS.intersection(re.findall(r"[a-z]+", name)):
        return text, ""
    if len(name) > 3:
        name = name.removesuffix("s")
    return value, name + re.sub(r"\D", "", found["power"] or "")
