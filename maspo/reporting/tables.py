"""The paper's results table: method x benchmark, A@k / P@k, best bold and second underlined."""

from collections.abc import Callable

import pandas as pd

from maspo.layout import BASE_VARIANT
from maspo.reporting.scores import AVERAGE

BEST, SECOND, PLAIN = "best", "second", "plain"
Mark = Callable[[str, str], str]  # (text, rank) -> marked text


def markdown_table(means: pd.DataFrame, samples: int) -> str:
    """Return the table of `mean_scores` in Markdown, in percent.

    Methods are ranked in each column by the figures shown, so equal figures share a rank; the
    base policy is not ranked. The last column carries the standard deviation of Avg@k over seeds.
    """
    marks = {BEST: "**{}**", SECOND: "<u>{}</u>", PLAIN: "{}"}
    rows = cells(means, lambda text, rank: marks[rank].format(text), "±")
    header = ["Method", *(f"{name} A@{samples} / P@{samples}" for name in columns(means))]
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def latex_table(means: pd.DataFrame, samples: int) -> str:
    """Return the same table in LaTeX; it needs the packages booktabs and nothing else."""
    marks = {BEST: r"\textbf{{{}}}", SECOND: r"\underline{{{}}}", PLAIN: "{}"}
    rows = cells(means, lambda text, rank: marks[rank].format(text), r"$\pm$")
    names = columns(means)
    lines = [
        rf"\begin{{tabular}}{{l{'r' * len(names)}}}",
        r"\toprule",
        " & ".join(["Method", *names]) + r" \\",
        " & ".join(["", *[f"A@{samples} / P@{samples}"] * len(names)]) + r" \\",
        r"\midrule",
    ]
    for variant, row in zip(means["variant"].unique(), rows, strict=True):
        lines.append(" & ".join([_escape(row[0]), *row[1:]]) + r" \\")
        if variant == BASE_VARIANT:
            lines.append(r"\midrule")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"


def columns(means: pd.DataFrame) -> list[str]:
    """Return the names of the benchmarks in order, the average last."""
    return list(means["benchmark"].unique())


def cells(means: pd.DataFrame, mark: Mark, plus_minus: str) -> list[list[str]]:
    """Return one row of marked cells for each variant, its label first."""
    shown = {m: _percent(means, m) for m in ("avg_at_k", "pass_at_k")}
    ranks = {metric: _ranks(frame) for metric, frame in shown.items()}
    spread = means.set_index(["variant", "benchmark"])["avg_at_k_std"] * 100
    rows = []
    for variant, label in means[["variant", "label"]].drop_duplicates().itertuples(index=False):
        row = [label]
        for benchmark in columns(means):
            parts = [
                mark(f"{frame.loc[variant, benchmark]:.1f}", ranks[m].loc[variant, benchmark])
                for m, frame in shown.items()
            ]
            deviation = spread.loc[variant, benchmark]
            if benchmark == AVERAGE and pd.notna(deviation):
                parts[0] += f" {plus_minus} {deviation:.1f}"
            row.append(" / ".join(parts))
        rows.append(row)
    return rows


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


def _escape(text: str) -> str:
    return text.replace("_", r"\_").replace("&", r"\&").replace("%", r"\%")
