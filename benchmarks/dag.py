"""Where the time of a finished DAG went: work (training, sampling) against everything else.

    python benchmarks/dag.py results/mini

Snakemake measured every job (``usage/``); every step measured its own work (manifests). The rest
of a job is imports, start-up, reading and writing. Prints a Markdown table.
"""

import json
import sys
from pathlib import Path

import pandas as pd

WORK = {"base": "train", "train": "train", "evaluate": "sample"}


def job_seconds(results: Path) -> pd.Series:
    """Return the wall seconds of all jobs of each rule."""
    rows = []
    for path in (results / "usage").rglob("*.tsv"):
        rule = path.relative_to(results / "usage").parts[0].removesuffix(".tsv")
        rows.append((rule, pd.read_csv(path, sep="\t")["s"].iloc[-1]))
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


def main() -> None:
    results = Path(sys.argv[1])
    jobs = job_seconds(results)
    jobs["work"] = pd.Series(work_seconds(results)).reindex(jobs.index).fillna(0.0)
    jobs["other"] = jobs["sum"] - jobs["work"]
    print("| rule | jobs | seconds | training and sampling | other |")
    print("| --- | ---: | ---: | ---: | ---: |")
    jobs.loc["all"] = total = jobs.sum()
    for rule, row in jobs.iterrows():
        print(
            f"| {rule} | {row['count']:.0f} | {row['sum']:.0f} | {row.work:.0f} | {row.other:.0f} |"
        )
    print(f"\nOutside training and sampling: {100 * total.other / total['sum']:.1f} %")


if __name__ == "__main__":
    main()
