"""How numbers and tables are written: Markdown, and LaTeX that needs booktabs and nothing else.

Names of models, benchmarks and machines are written by others: whatever they hold stays text, see
`maspo.inert`.
"""

import math
from collections.abc import Sequence

from maspo.inert import in_latex, in_markdown

NOTHING = "–"  # shown where there is no number


class Markup(str):
    """A cell that is Markdown already, of numbers and of texts from `in_markdown`."""


def percent(value: float, sign: bool = False) -> str:
    """Return a fraction as percent with one decimal; "–" for NaN."""
    return fixed(100 * value, 1, sign)


def fixed(value: float, digits: int, sign: bool = False) -> str:
    """Return a number with `digits` decimals, its minus a real one; "–" for NaN."""
    if math.isnan(value):
        return NOTHING
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    if float(text) == 0:  # no "-0.0", and no sign on what rounds to nothing
        text = text.lstrip("+-")
    return text.replace("-", "−")


def interval(value: str, low: str, high: str) -> str:
    """Return "value [low, high]", or the value alone where the interval is not known."""
    return value if NOTHING in (low, high) else f"{value} [{low}, {high}]"


def markdown(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """Return a Markdown table; the first `left` columns are text, the others numbers."""
    rule = ["---"] * left + ["---:"] * (len(header) - left)
    cells = [
        [cell if isinstance(cell, Markup) else in_markdown(cell) for cell in row]
        for row in [header, *rows]
    ]
    return "".join(f"| {' | '.join(line)} |\n" for line in [cells[0], rule, *cells[1:]])


def latex(
    header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1, columns: str | None = None
) -> str:
    """Return a LaTeX tabular of plain texts, all of them escaped.

    `columns` replaces the column specification (`left` texts, then numbers).
    """
    columns = columns or "l" * left + "r" * (len(header) - left)
    lines = [rf"\begin{{tabular}}{{{columns}}}", r"\toprule", latex_row(header), r"\midrule"]
    return "\n".join([*lines, *map(latex_row, rows), r"\bottomrule", r"\end{tabular}"]) + "\n"


def latex_row(cells: Sequence[str]) -> str:
    """Return one row of a tabular, its cells escaped."""
    return " & ".join(map(in_latex, cells)) + r" \\"
