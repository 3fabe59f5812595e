"""Where the time of a finished DAG went: work (training, sampling) against everything else.

    python -m benchmarks.dag results/mini        # or, with the others: python -m benchmarks dag

Snakemake measured every job (``usage/``); every step measured its own work (manifests). The rest
of a job is imports, start-up, reading and writing. Of the steps that Snakemake may cache, and
therefore does not measure, only what their manifests say is known: imports are missing there.
"""

import json
import sys
from datetime import datetime
from pathlib import Path

import pandas as pd

from benchmarks.harness import ROOT, Measurement, Report

WORK = {"base": "train", "train": "train", "evaluate": "sample"}
CACHED = ("data", "base")


def job_seconds(results: Path) -> pd.Series:
    """Return the wall seconds of all jobs of each rule."""
    rows = []
    for path in (results / "usage").rglob("*.tsv"):
        rule = path.relative_to(results / "usage").parts[0].removesuffix(".tsv")
        rows.append((rule, pd.read_csv(path, sep="\t")["s"].iloc[-1]))
    jobs = [(rule, path) for rule in CACHED for path in (results / rule).rglob("manifest.json")]
    for rule, path in jobs:
        time = json.loads(path.read_text())["time"]
        started, finished = (datetime.fromisoformat(time[k]) for k in ("started", "finished"))
        rows.append((rule, (finished - started).total_seconds()))
    return (
        pd.DataFrame(rows, columns=["rule", "seconds"])
        .groupby("rule")
        .seconds.agg(["count", "sum"])
    )


def work_seconds(results: Path) -> dict[str, float]:
    """Return the seconds that the steps themselves counted as training or sampling."""
    total = dict.fromkeys(WORK, 0.0)
    for path in results.rglob("manifest.json"):
        manifest = json.loads(path.read_text())
        step = manifest["step"]
        if step in WORK:
            total[step] += manifest["time"]["seconds"][WORK[step]]
    return total


def table(results: Path) -> pd.DataFrame:
    """Return jobs and seconds of each rule (index) and of all: count, sum, work, other."""
    jobs = job_seconds(results)
    jobs["work"] = pd.Series(work_seconds(results)).reindex(jobs.index).fillna(0.0)
    jobs["other"] = jobs["sum"] - jobs["work"]
    jobs.loc["all"] = jobs.sum()
    return jobs


def markdown(jobs: pd.DataFrame) -> str:
    """Return the table."""
    lines = [
        "| rule | jobs | seconds | training and sampling | other |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for rule, row in jobs.iterrows():
        lines.append(
            f"| {rule} | {row['count']:.0f} | {row['sum']:.0f} | {row.work:.0f} | {row.other:.0f} |"
        )
    share = 100 * jobs.loc["all", "other"] / jobs.loc["all", "sum"]
    return "\n".join(lines) + f"\n\nOutside training and sampling: {share:.1f} %"


def measure(quick: bool) -> Report:
    """The finished DAG of scale mini (smoke if quick) in this checkout; nothing is run."""
    results = ROOT / "results" / ("smoke" if quick else "mini")
    if not (results / "usage").is_dir():
        return Report("DAG", [], f"results/{results.name} holds no finished DAG: not measured.")
    jobs = table(results)
    everything = jobs.loc["all"]
    share = everything.other / everything["sum"]
    found = [
        Measurement("seconds of all jobs", [float(everything["sum"])]),
        Measurement("share outside training and sampling", [float(share)], "x"),
    ]
    return Report("DAG", found, markdown(jobs))


if __name__ == "__main__":
    print(markdown(table(Path(sys.argv[1]))))
