"""Avg@k, Pass@k and best@k again from the records, by pandas and the definitions alone.

Nothing here is shared with `maspo.evaluation` or `maspo.statistics`.
"""

import math
from collections.abc import Callable, Collection, Iterator
from functools import cache
from pathlib import Path

import pandas as pd

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree
from maspo.config import Study

Run = tuple[str, int]  # variant, seed
Curves = Callable[[Run, int], pd.DataFrame]  # the metrics of a run at k
METRICS = ("avg_at_k", "pass_at_k", "best_at_k")
TOLERANCE = 1e-9  # of two orders of summation


def count(records: pd.DataFrame) -> pd.DataFrame:
    """Return how many samples of each problem are right, and how many there are: sum and size."""
    right = records["verdict"].eq("correct").groupby([records["benchmark"], records["problem"]])
    return right.agg(["sum", "size"])


def recompute(problems: pd.DataFrame, k: int | None = None) -> pd.DataFrame:
    """Return the three metrics of counted records, a row a benchmark and one for their average.

    Avg is over all samples; Pass and best are at `k`, by default at the number of samples.
    """
    share = problems["sum"] / problems["size"]
    values = pd.DataFrame(
        {
            "avg_at_k": share,
            "pass_at_k": [
                1 - math.comb(n - c, k or n) / math.comb(n, k or n)
                for c, n in problems.itertuples(index=False)
            ],
            "best_at_k": 1 - (1 - share) ** (k or problems["size"]),
        }
    )
    means = values.groupby("benchmark").mean()
    means.loc["average"] = means.mean()
    return means


def check_metrics(tree: Tree) -> Iterator[Finding]:
    """Compare the metrics with the tables of each run and the means over seeds."""
    counts = {(v, s): count(records) for v, s, _, records in tree.records()}
    runs = {run: recompute(problems).to_dict("index") for run, problems in counts.items()}
    curves = cache(lambda run, k: recompute(counts[run], k))  # studies share runs
    for (suite, study), found in tree.studies.items():
        tables = tree.layout.tables(suite)
        for file, keys in ((f"{study}_runs.csv", "seed"), (f"{study}.csv", "seeds")):
            path = tables / file
            if not path.is_file():
                continue  # the check of the chain names it
            for row in pd.read_csv(path).to_dict("records"):
                chosen = [run for run in found.policies if run[0] == row["variant"]]
                if keys == "seed":
                    chosen = [(row["variant"], row["seed"])]
                missing = [run for run in chosen if run not in runs]
                place = f"{row['variant']} {row['benchmark']}"
                if missing:
                    yield Finding("metrics", tree.name(path), f"records of {missing}", "none")
                    continue
                for metric in METRICS:
                    cells = [runs[run][row["benchmark"]][metric] for run in chosen]
                    value = float(sum(cells) / len(cells))
                    if not abs(value - row[metric]) <= TOLERANCE:
                        wanted = f"{metric} {value!r} for {place}"
                        yield Finding("metrics", tree.name(path), wanted, repr(row[metric]))
        yield from check_at_k(tree, tables / f"{study}_at_k.csv", found, set(counts), curves)


def check_at_k(
    tree: Tree, path: Path, study: Study, counted: Collection[Run], curves: Curves
) -> Iterator[Finding]:
    """Compare Pass@k and best@k at every k with the table of the curves."""
    if not path.is_file():
        return
    rows = pd.read_csv(path)
    for (variant, k), cells in rows.groupby(["variant", "k"], sort=False):
        runs = [run for run in study.policies if run[0] == variant and run in counted]
        values = [curves(run, int(k)) for run in runs]
        if not values:
            yield Finding("metrics", tree.name(path), f"a variant of {study.name}", variant)
            continue
        means = sum(values[1:], values[0]) / len(values)
        for row in cells.to_dict("records"):
            metric, benchmark = f"{row['metric']}_at_k", row["benchmark"]
            value = float(means.loc[benchmark, metric])
            if not abs(value - row["value"]) <= TOLERANCE:
                wanted = f"{metric} {value!r} at k={k} for {variant} {benchmark}"
                yield Finding("metrics", tree.name(path), wanted, repr(row["value"]))
