"""Time and memory of every job, on whatever machine it ran: what Snakemake measured beside them.

`cost` tells what a run costs in tokens and seconds by phase, from its own log. This tells what to
ask a machine or a cluster for: the jobs' wall time, processor time and peak memory beside the
memory that `configs/resources/` asks for. A job that was tried again is counted with its last try.
"""

from pathlib import Path

import pandas as pd

from maspo.config import Resources
from maspo.errors import DataError
from maspo.files import files_below
from maspo.reporting.format import NOTHING, fixed, markdown

MEASURED = {"s": "seconds", "cpu_time": "cpu_seconds", "max_rss": "memory_mb"}
COLUMNS = ["rule", "job", *MEASURED.values(), "asked_mb"]
ASKED_AS = {"train": "train", "evaluate": "evaluate", "table": "report", "claims": "report"}


def usage(folder: Path, resources: Resources) -> pd.DataFrame:
    """Return one row a job from the files below `folder` (``usage/<rule>/<job>.tsv``).

    Seconds are wall time; memory is resident, in units of 10^6 bytes as `asked_mb`, the first
    attempt's request. A job too short to be sampled has no memory. The steps `data` and `base` can
    be cached, which excludes this measurement: their seconds stand in their manifests.

    Raises:
        DataError: there is no such file, or one that Snakemake did not write.
    """
    files = [path for path in files_below(folder) if path.suffix == ".tsv"]
    if not files:
        raise DataError(f"{folder} holds no measured job: run the workflow first")
    return pd.DataFrame([_row(folder, file, resources) for file in files], columns=COLUMNS)


def _row(folder: Path, file: Path, resources: Resources) -> dict[str, object]:
    rule, *job = file.relative_to(folder).with_suffix("").parts
    try:
        measured = pd.read_csv(file, sep="\t", na_values=["-", "NA"]).iloc[0]
        row = {name: float(measured[column]) for column, name in MEASURED.items()}
    except (OSError, KeyError, IndexError, ValueError) as error:
        raise DataError(
            f"{file} is no benchmark file of Snakemake ({error!r}): delete it, or rerun its job"
        ) from error
    row["memory_mb"] *= 2**20 / 1e6  # Snakemake says MB for 2^20 bytes
    asked = getattr(resources, ASKED_AS[rule]).memory_gb * 1000 if rule in ASKED_AS else None
    return {"rule": rule, "job": "/".join(job), **row, "asked_mb": asked}


def usage_markdown(table: pd.DataFrame) -> str:
    """Return the jobs of each rule together, in Markdown."""
    header = ["Rule", "Jobs", "Hours, sum", "Seconds, longest", "Cores, mean"]
    header += ["Memory, most (MB)", "Asked (MB)"]
    rows = []
    for rule, jobs in table.groupby("rule"):
        rows.append(
            [
                str(rule),
                str(len(jobs)),
                fixed(jobs["seconds"].sum() / 3600, 3),
                fixed(jobs["seconds"].max(), 1),
                fixed(jobs["cpu_seconds"].sum() / jobs["seconds"].sum(), 2),
                fixed(jobs["memory_mb"].max(), 0),
                NOTHING if jobs["asked_mb"].isna().all() else fixed(jobs["asked_mb"].max(), 0),
            ]
        )
    return markdown(header, rows)
