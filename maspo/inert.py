"""Texts that others wrote, made to show as they stand: in a line, Markdown, LaTeX and CSV.

Completions, problems, names of models, benchmarks and machines may hold anything. Whatever is shown
of them goes through one of these functions.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# What Markdown reads as markup within a line. Single underscores in a word are none, nor are
# brackets that no link follows.
MARKS = re.compile(r"[\\`*|$~]|\](?=[(\[:])|(?<![^\W_])_|_(?![^\W_])")
FORMULA = tuple("=+-@＝＋－＠")
ESCAPES = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "{": r"\{",
        "}": r"\}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "−": r"$-$",
        "±": r"$\pm$",
        "≥": r"$\ge$",
        "–": "--",
    }
)


def printable(text: str) -> str:
    """Return a text with line breaks and control characters spelt out.

    Names and cells of a folder that somebody else made must not write to the reader's terminal,
    nor end the line that they stand in.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def in_markdown(text: str) -> str:
    """Return one line of Markdown that shows a text: no HTML, link, formula or cell comes of it."""
    return MARKS.sub(r"\\\g<0>", html.escape(printable(text), quote=False))


def fenced(text: str) -> str:
    """Return a block of plain text in Markdown, with a fence longer than any that is in it."""
    fence = "`" * max(3, _longest_ticks(text) + 1)
    return f"{fence}text\n{text}\n{fence}"


def code(text: str) -> str:
    """Return one line of code within a line of Markdown."""
    text = printable(text)
    space = " " if "`" in text else ""
    ticks = "`" * (_longest_ticks(text) + 1)
    return f"{ticks}{space}{text}{space}{ticks}"


def _longest_ticks(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def in_latex(text: str) -> str:
    """Return one line that LaTeX prints as it stands."""
    return printable(text).translate(ESCAPES)


def csv(table: pd.DataFrame, **options: str) -> str:
    """Return a table as CSV without its index; what is not known is empty.

    A text that a spreadsheet would take for a formula gets a quote before it, as OWASP advises
    (https://owasp.org/www-community/attacks/CSV_Injection), and line breaks, behind which another
    cell could begin, are spelt out. Numbers stay as they are.
    """
    texts = table.select_dtypes(exclude=["number", "bool"])
    odd = [name for name in texts if any(cell is not _in_cell(cell) for cell in texts[name])]
    safe = table.assign(**{name: texts[name].map(_in_cell) for name in odd})
    safe.columns = [_in_cell(name) for name in table.columns]
    return safe.to_csv(index=False, lineterminator="\n", **options)


def _in_cell(cell: object) -> object:
    """Return a cell itself where it is harmless: a new column could be written in another way."""
    if not isinstance(cell, str) or (cell.isprintable() and not cell.startswith(FORMULA)):
        return cell
    text = printable(cell)
    return f"'{text}" if text.startswith(FORMULA) else text
