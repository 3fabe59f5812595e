"""Avg@k, Pass@k and best@k again from the records, by pandas and the definitions alone.

Nothing here is shared with `maspo.evaluation` or `maspo.statistics`.
"""

import math
from collections.abc import Iterator

import pandas as pd

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree

METRICS = ("avg_at_k", "pass_at_k", "best_at_k")
TOLERANCE = 1e-9  # of two orders of summation


def recompute(records: pd.DataFrame) -> pd.DataFrame:
    """Return the three metrics at k = n, a row a benchmark and one for their average."""
    right = records["verdict"].eq("correct").groupby([records["benchmark"], records["problem"]])
    problems = right.agg(["sum", "size"])
    share = problems["sum"] / problems["size"]
    values = pd.DataFrame(
        {
            "avg_at_k": share,
            "pass_at_k": [
                1 - math.comb(n - c, n) / math.comb(n, n)
                for c, n in problems.itertuples(index=False)
            ],
            "best_at_k": 1 - (1 - share) ** problems["size"],
        }
    )
    means = values.groupby("benchmark").mean()
    means.loc["average"] = means.mean()
    return means


def check_metrics(tree: Tree) -> Iterator[Finding]:
    """Compare the metrics with the tables of each run and the means over seeds."""
    runs = {(v, s): recompute(records) for v, s, _, records in tree.records()}
    for suite, study in tree.studies:
        tables = tree.layout.tables(suite)
        for file, keys in ((f"{study}_runs.csv", "seed"), (f"{study}.csv", "seeds")):
            path = tables / file
            if not path.is_file():
                continue  # the check of the chain names it
            for row in pd.read_csv(path).to_dict("records"):
                numbers = [row[keys]] if keys == "seed" else range(1, row[keys] + 1)
                chosen = [(row["variant"], 0 if row["variant"] == "base" else n) for n in numbers]
                missing = [run for run in chosen if run not in runs]
                place = f"{row['variant']} {row['benchmark']}"
                if missing:
                    yield Finding("metrics", tree.name(path), f"records of {missing}", "none")
                    continue
                for metric in METRICS:
                    cells = [runs[run].loc[row["benchmark"], metric] for run in chosen]
                    value = sum(cells) / len(cells)
                    if not abs(value - row[metric]) <= TOLERANCE:
                        wanted = f"{metric} {value!r} for {place}"
                        yield Finding("metrics", tree.name(path), wanted, repr(row[metric]))
