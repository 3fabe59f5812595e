r"""Bring LaTeX answers to one plain spelling; text in, text out.

After `clean` there is one wrapper of words, `\text{...}`, one kind of space, and one spelling of
each sign that people write in several ways.
"""

import re
from functools import lru_cache

_SPELLINGS = str.maketrans(
    {
        "−": "-",  # minus sign
        "–": "-",  # en dash
        "×": r"\times ",
        "·": r"\cdot ",
        "⋅": r"\cdot ",
        "±": r"\pm ",
        "≤": r"\leq ",
        "≥": r"\geq ",
        "≠": r"\neq ",
        "≈": r"\approx ",
        "∈": r"\in ",
        "∪": r"\cup ",
        "⟨": "(",
        "⟩": ")",
        "…": r"\ldots ",
        "π": r"\pi ",
        "∞": r"\infty ",
        "°": r"^\circ ",
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
GREEK = (
    "alpha|beta|gamma|delta|(?:var)?epsilon|zeta|eta|(?:var)?theta|iota|kappa|lambda|mu|nu|xi|rho|"
    "sigma|tau|upsilon|(?:var)?phi|chi|psi|omega|ell|"
    "Gamma|Delta|Theta|Lambda|Xi|Sigma|Upsilon|Phi|Psi|Omega"
)
"""Commands of letters that can name a value; not pi."""

_COMMAND = r"(?![a-zA-Z])"
_BETWEEN = re.compile(r"(?<!\\)\$ ?, ?\$")  # $1$,$234$ is a list
_NOISE = re.compile(
    r"(?<!\\)\$|(?<!\\)\\!\s*|(?<!\\)\\[()[\]]"
    rf"|\\(?:left|right|middle|[bB]igg?[lrm]?){_COMMAND}"
    rf"|\\(?:display|text|script)style{_COMMAND}|\\(?:no)?limits{_COMMAND}"
    r"|\\(?:text)?color\s*\{[^{}]*\}"  # the coloured text stays
    r"|\\(?:[hv]?phantom|[hv]space|tag|label)\*?\s*\{[^{}]*\}"
)
_SPACE = re.compile(rf"(?:\s|(?<!\\)\\[,;:> ]|\\(?:q?quad|enspace|thinspace){_COMMAND})+")
_ROW = re.compile(r"\\\\\*? ?\[ ?-?[\d.]+ ?[a-z]{2} ?\]|\\cr" + _COMMAND)
_LAST_ROW = re.compile(r"\\\\ ?(?=\\end ?\{)")
_REWRITES = (
    (re.compile(r"\\[dtc]frac" + _COMMAND), r"\\frac"),
    (re.compile(rf"\\varnothing{_COMMAND}|∅|\\\{{ ?\\\}}"), r"\\emptyset"),
    (re.compile(r"\\(?:l?dots[bcimo]?|cdots|hdots)" + _COMMAND), r"\\ldots"),
    (re.compile(r"\\leq?(?:slant|q)?" + _COMMAND), r"\\leq"),
    (re.compile(r"\\geq?(?:slant|q)?" + _COMMAND), r"\\geq"),
    (re.compile(r"\\lt" + _COMMAND), "<"),
    (re.compile(r"\\gt" + _COMMAND), ">"),
    (re.compile(rf"\\neq?{_COMMAND}|\\not ?="), r"\\neq"),
    (re.compile(r"\\(?:langle|lparen)" + _COMMAND), "("),
    (re.compile(r"\\(?:rangle|rparen)" + _COMMAND), ")"),
    (re.compile(r"\\lbrace" + _COMMAND), r"\\{"),
    (re.compile(r"\\rbrace" + _COMMAND), r"\\}"),
    (re.compile(rf"\\degree{_COMMAND}| ?\\text ?\{{ ?deg(?:ree)?s?\.? ?\}}"), r"^\\circ"),
)
_UPRIGHT = re.compile(r"\\(?:text(?:rm|up|normal|sf|bf|it)|mathrm|mathsf|[mh]box|emph|rm) ?(?=\{)")
_OLD_UPRIGHT = re.compile(r"\{ ?\\(?:rm|bf|it)" + _COMMAND + " ?")
_STYLE = re.compile(r"\\(?:math(?:bf|it)|boldsymbol|bm|pmb|ensuremath|underline) ?(?=\{)")
_TEXT_IN_TEXT = re.compile(r"\\text ?\{ ?\\text ?\{([^{}]*)\} ?\}")
_PERCENT = r"(?:percent|percentage|pct|per cent)\.?"
_PERCENT_WORD = re.compile(rf" ?\\text ?\{{ ?(?:{_PERCENT}|\\?%) ?\}}|(?<=[\d}}]) ?{_PERCENT}$")
_WHOLE_TEXT = re.compile(r"\\text ?\{([^{}]*)\}")
_PERIODS = re.compile(r"\.{3,}")
_GROUP = re.compile(r"\{([^{}]*)\}")

_LIST_SPACE = r"(?!(?<=\d, )\d{3}(?!\d))"  # `1, 234` is a list and `1,234` a number
_FREE_SPACE = re.compile(rf"(?<![a-zA-Z0-9]) {_LIST_SPACE}| (?![a-zA-Z0-9])")
WRAPPED = re.compile(r"\\(?:text|operatorname\*?) ?\{([^{}]*)\}")
_LONE_LETTER = re.compile(r"\\(?:text|operatorname) ?\{ ?([a-zA-Z]) ?\}")
_PRIMES = re.compile(r"(?<=[a-zA-Z)}])'+|(?<=\d)'+(?!$)")
_INDEX = re.compile(
    rf"(?<![a-zA-Z\\])([a-zA-Z]|\\(?:{GREEK})) ?_ ?\{{((?:[^{{}}]|\{{[^{{}}]*\}})*)\}}"
)
_INDEX_MARKS = re.compile(r"\\(?:text|operatorname)(?![a-zA-Z])|[\\{} ]")
_INDEXED_E = re.compile(r"(?<![a-zA-Z\\])E(?= ?_)")
_BARE_PI = re.compile(r"(?<![a-zA-Z\\])pi(?![a-zA-Z])")
_TRANSPOSED = re.compile(r"\^ ?(?:T|\{ ?T ?\})")
_ANGLE = re.compile(r"(\d+(?:\.\d+)?)? ?\^ ?(?:\{ ?\\circ ?\}|\\circ(?![a-zA-Z]))")
OF_ANGLES = re.compile(r"\\(?:sin|cos|tan|cot|sec|csc)(?![a-zA-Z])")
_BARE_WORD = re.compile(r"[a-zA-Z]{3,}")
_LABEL = re.compile(r"\(?([A-J])(?:\)|[.:] )[.:]? ?(.*)")
_PROSE = re.compile(r"(?<![a-zA-Z\\])(?:[a-zA-Z]{2,}|[A-Z])(?![a-zA-Z])")


def hidden(text: str) -> bool:
    """Whether the text holds control, bidirectional or surrogate characters.

    Such an answer does not read as what it is; it is never equal to a gold answer.
    """
    return _HIDDEN.search(text) is not None


@lru_cache(maxsize=8192)
def clean(text: str) -> str:
    """The answer without what only changes its look, each sign in one spelling."""
    if text.isascii() and text.isdigit():
        return text
    text = _NOISE.sub("", _BETWEEN.sub(", ", text.translate(_SPELLINGS)))
    text = _SPACE.sub(" ", text).strip()
    if "\\" in text:
        text = _commands(text)
    text = _PERCENT_WORD.sub(r"\\%", text)
    text = _PERIODS.sub(r"\\ldots", text).removesuffix(".").rstrip()
    if group := _GROUP.fullmatch(text):
        text = group[1].strip()
    if (whole := _WHOLE_TEXT.fullmatch(text)) and any(map(str.isdigit, text)):
        text = whole[1].strip()
    return text.removesuffix(".").rstrip()


def _commands(text: str) -> str:
    text = _LAST_ROW.sub("", _ROW.sub(r"\\\\", text))
    text = _OLD_UPRIGHT.sub(r"\\text{", text)
    text = _STYLE.sub("", _UPRIGHT.sub(r"\\text", text))
    for pattern, replacement in (*_REWRITES, (_TEXT_IN_TEXT, r"\\text{\1}")):
        text = pattern.sub(replacement, text)
    return text


def tight(text: str) -> str:
    """Cleaned text without the spaces that mean nothing; those between letters or digits stay."""
    return _FREE_SPACE.sub("", text)


def plain(text: str) -> str:
    """Cleaned text with text wrappers and meaningless spaces removed: equal keys, equal answers."""
    return tight(WRAPPED.sub(r"\1", text).strip())


def words(text: str) -> str | None:
    r"""The words of a cleaned answer that is only `\text{...}`, casefolded, else None."""
    whole = WRAPPED.fullmatch(text)
    return bare_words(whole[1]) if whole and not any(map(str.isdigit, whole[1])) else None


def bare_words(text: str) -> str:
    """Casefolded, without one pair of parentheses around it: `(B)` and `b` are one choice."""
    text = plain(text)
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return text.strip(" .").casefold()


def formula(text: str) -> str:
    """Cleaned text for the grammar: upright letters as letters, primes as powers, plain indices.

    math-verify's own normal form would drop the prime of a derivative. Its grammar reads every
    power T as a transposition, which leaves a number as it is, and E as Euler's number.
    """
    text = _INDEX.sub(lambda found: f"{found[1]}_{{{_INDEX_MARKS.sub('', found[2])}}}", text)
    text = _LONE_LETTER.sub(r"{\1}", _BARE_PI.sub(r"\\pi ", text))
    text = _INDEXED_E.sub(r"\\mathcal{E}", text)
    if "matrix" not in text:
        text = _TRANSPOSED.sub("^{(T)}", text)
    return _PRIMES.sub(lambda found: "^{" + r"\prime " * len(found[0]) + "}", text)


def degrees_as_radians(text: str) -> str:
    """Cleaned text with the degrees inside of trigonometric functions as radians."""
    if not OF_ANGLES.search(text):
        return text
    return _ANGLE.sub(
        lambda found: (
            rf"{{(\frac{{{found[1]} \pi}}{{180}})}}" if found[1] else r" \cdot \frac{\pi}{180}"
        ),
        text,
    )


def same_bare_word(text: str, other: str) -> bool | None:
    """Whether two words without a wrapper are one, None where a side is no word of three letters.

    As products of letters `seat` and `east` would be equal. Capitals only, as in `ABC`, keep
    their case.
    """
    if not (_BARE_WORD.fullmatch(text) and _BARE_WORD.fullmatch(other)):
        return None
    capitals = text.isupper() or other.isupper()
    return text == other if capitals else text.casefold() == other.casefold()


def choice(text: str) -> str:
    """The letter of a multiple choice: `C`, `(C)`, and `(C) 12`, where a formula follows; or ''.

    Prose or another letter behind it, as in `(C) or (D)`, makes it none.
    """
    text = plain(text)
    if len(text.strip("().")) == 1 and "A" <= (letter := text.strip("().")) <= "J":
        return letter
    label = _LABEL.fullmatch(text)
    return label[1] if label and label[2] and not _PROSE.search(label[2]) else ""
