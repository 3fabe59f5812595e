"""The paper's results table: method x benchmark, A@k / P@k, best bold and second underlined."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd

from maspo.inert import in_latex
from maspo.layout import BASE_VARIANT
from maspo.reporting.format import NOTHING, Markup, markdown, percent

BEST, SECOND, PLAIN = "best", "second", "plain"
SHOWN = ("avg_at_k", "pass_at_k")
Mark = Callable[[str, str], str]  # (text, rank) -> marked text


class Row(NamedTuple):
    """One method: its marked cells, and below each the intervals."""

    variant: str
    label: str
    cells: list[str]
    intervals: list[str]


def markdown_table(means: pd.DataFrame, samples: int, level: float) -> str:
    """Return the table of `mean_scores` in Markdown, in percent.

    Methods are ranked in each column by the figures shown, so equal figures share a rank; the
    base policy is not ranked.
    """
    marks = {BEST: "**{}**", SECOND: "<u>{}</u>", PLAIN: "{}"}
    table = [
        [row.label, *(Markup(f"{c}<br><sub>{i}</sub>") for c, i in zip(*row[2:], strict=True))]
        for row in rows(means, lambda text, rank: marks[rank].format(text))
    ]
    header = ["Method", *(f"{name} A@{samples} / P@{samples}" for name in columns(means))]
    return markdown(header, table) + "\n" + note(means, samples, level)


def note(means: pd.DataFrame, samples: int, level: float) -> str:
    """Return what a reader of the table has to know."""
    methods = means[means["variant"] != BASE_VARIANT]
    seeds = sorted(methods["seeds"].unique())
    count = " or ".join(map(str, seeds)) + (" seed" if seeds == [1] else " seeds")
    return (
        f"Percent. A@{samples}: Avg@{samples}; P@{samples}: unbiased Pass@{samples}. Below them "
        f"{100 * level:g} % intervals of a hierarchical bootstrap (seeds, problems, samples); "
        f"{count} a method. Best of a column bold, second underlined.\n"
    )


def latex_table(means: pd.DataFrame, samples: int) -> str:
    """Return the same table in LaTeX; it needs the packages booktabs and nothing else."""
    marks = {BEST: r"\textbf{{{}}}", SECOND: r"\underline{{{}}}", PLAIN: "{}"}
    names = columns(means)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
        r"\toprule",
        " & ".join(["Method", *map(in_latex, names)]) + r" \\",
        " & ".join(["", *[f"A@{samples} / P@{samples}"] * len(names)]) + r" \\",
        r"\midrule",
    ]
    for row in rows(means, lambda text, rank: marks[rank].format(text)):
        small = [rf"{{\scriptsize {in_latex(text)}}}" for text in row.intervals]
        lines.append(" & ".join([in_latex(row.label), *row.cells]) + r" \\")
        lines.append(" & ".join(["", *small]) + r" \\")
        if row.variant == BASE_VARIANT:
            lines.append(r"\midrule")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def columns(means: pd.DataFrame) -> list[str]:
    """Return the names of the benchmarks in order, the average last."""
    return list(means["benchmark"].unique())


def rows(means: pd.DataFrame, mark: Mark) -> Iterator[Row]:
    """Yield one row of marked cells for each variant."""
    shown = {m: _percent(means, m) for m in SHOWN}
    ranks = {metric: _ranks(frame) for metric, frame in shown.items()}
    cells = means.set_index(["variant", "benchmark"])
    for variant, label in means[["variant", "label"]].drop_duplicates().itertuples(index=False):
        values, intervals = [], []
        for benchmark in columns(means):
            parts = [
                mark(f"{frame.loc[variant, benchmark]:.1f}", ranks[m].loc[variant, benchmark])
                for m, frame in shown.items()
            ]
            values.append(" / ".join(parts))
            cell = cells.loc[(variant, benchmark)]
            bounds = [(percent(cell[f"{m}_low"]), percent(cell[f"{m}_high"])) for m in SHOWN]
            intervals.append(" / ".join(NOTHING.join(dict.fromkeys(pair)) for pair in bounds))
        yield Row(variant, label, values, intervals)


def _percent(means: pd.DataFrame, metric: str) -> pd.DataFrame:
    table = means.pivot(index="variant", columns="benchmark", values=metric)
    return (100 * table).round(1)


def _ranks(shown: pd.DataFrame) -> pd.DataFrame:
    """Return best, second or plain for each cell, the base policy always plain."""
    ranks = pd.DataFrame(PLAIN, index=shown.index, columns=shown.columns)
    methods = shown.drop(index=BASE_VARIANT, errors="ignore")
    for benchmark, column in methods.items():
        figures = sorted(column.unique(), reverse=True)
        for rank, figure in zip((BEST, SECOND), figures, strict=False):
            ranks.loc[column.index[column == figure], benchmark] = rank
    return ranks
