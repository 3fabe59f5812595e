"""Reading the result files of one suite for the figures; nothing of the package is imported."""

import argparse
import json
import sys
from pathlib import Path
from typing import NoReturn

import pandas as pd

AVERAGE = "average"  # the benchmark that stands for the unweighted mean over all of them
BASE = "base"  # the variant that is not trained


def arguments(description: str, study: str | None = "main") -> argparse.Namespace:
    """Return the command line that the figures of results share.

    `study` is the default of --study; None: the figure is of the suite, not of one study.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--tables", type=Path, default=Path("results/mini/default/tables"))
    if study:
        parser.add_argument("--study", default=study)
    parser.add_argument("--output", type=Path, help="default: figures/STUDY beside the tables")
    options = parser.parse_args()
    folder = options.tables.parent / "figures"
    options.output = options.output or (folder / options.study if study else folder)
    return options


def read_table(path: Path, columns: list[str], empty: bool = False) -> pd.DataFrame:
    """Return a CSV file with at least the named columns; end the program if that is not so.

    A table without rows is refused too, unless it may be `empty`.
    """
    if not path.is_file():
        refuse(path, f"is missing: {_remedy(path.parent)}")
    try:
        table = pd.read_csv(path)
    except (ValueError, UnicodeDecodeError) as error:
        refuse(path, f"is not a CSV table: {error}")
    lacking = [column for column in columns if column not in table]
    if lacking:
        refuse(path, f"has no column {', '.join(lacking)}; it has {', '.join(table)}")
    if table.empty and not empty:
        refuse(path, "has no rows")
    return table


def _remedy(folder: Path) -> str:
    """Say which studies a folder of tables holds, and what writes more."""
    end = "_runs.csv"
    found = sorted(path.name.removesuffix(end) for path in folder.glob(f"*{end}"))
    return (
        f"the studies there are {', '.join(found) or 'none'}; `snakemake --cores all` writes what "
        "they lack, `snakemake --cores all --config studies=NAME` the study of configs/study/NAME"
    )


def read_claims(path: Path, fields: list[str]) -> list[dict]:
    """Return the claims of a ``claims.json``, each with parts that have the named fields."""
    if not path.is_file():
        refuse(path, "is missing; `snakemake --cores all` writes it")
    try:
        claims = json.loads(path.read_text(encoding="utf-8"))["claims"]
        lacking = [
            f"a part of {claim['id']} has no {field}"
            for claim in claims
            for part in claim["parts"]
            for field in fields
            if field not in part
        ]
    except (ValueError, TypeError) as error:
        refuse(path, f"holds no claims: {error}")
    except KeyError as error:
        refuse(path, f"holds no claims: there is no {error}")
    if lacking or not claims:
        refuse(path, lacking[0] if lacking else "holds no claims: the list is empty")
    return claims


def refuse(path: Path, reason: str) -> NoReturn:
    """End the program with the name of the file and what is wrong with it."""
    sys.exit(f"error: {path} {reason}")


def labels_of(table: pd.DataFrame, base: bool = False) -> dict[str, str]:
    """Return the label of each variant in the table's order, with or without the base policy."""
    labels = table.drop_duplicates("variant").set_index("variant").label.to_dict()
    return {variant: label for variant, label in labels.items() if base or variant != BASE}


def curve(dynamics: pd.DataFrame, variant: str, metric: str) -> pd.DataFrame:
    """Return mean, low and high of a metric by step, averaged over `window` steps around each."""
    rows = dynamics[(dynamics.variant == variant) & (dynamics.metric == metric)]
    steps = rows.set_index("step").sort_index()[["mean", "low", "high"]]
    return steps.rolling(window(dynamics), center=True, min_periods=1).mean()


def window(dynamics: pd.DataFrame) -> int:
    """Return the number of steps (odd) that a drawn point averages: about 5 % of the training."""
    return max(1, int(dynamics.step.max()) // 20) | 1


def ending(dynamics: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Return value, low and high of a metric for each variant, means over the last tenth of steps.

    The bounds are means of the steps' bounds, so they are wider than an interval of the mean.
    """
    last = dynamics.step.max()
    late = dynamics[(dynamics.metric == metric) & (dynamics.step > last - max(1, last // 10))]
    means = late.groupby("variant", sort=False)[["mean", "low", "high"]].mean()
    return means.rename(columns={"mean": "value"})
