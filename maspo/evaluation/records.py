"""Records: one row for every completion of an evaluation. All metrics come from them alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from maspo.files import atomic
from maspo.tasks.problems import read_table

if TYPE_CHECKING:  # an evaluation only writes records: it need not import pandas
    import pandas as pd

SCHEMA = pa.schema(
    [
        ("benchmark", pa.string()),
        ("problem", pa.string()),
        ("sample", pa.int32()),
        ("seed", pa.int64()),
        ("text", pa.string()),
        ("tokens", pa.int32()),
        ("answer", pa.string()),
        ("gold", pa.string()),
        ("verdict", pa.string()),
    ]
)


SNAPSHOT_SCHEMA = SCHEMA.append(pa.field("step", pa.int32()))


def at_step(records: pa.Table, step: int) -> pa.Table:
    """Return the records of a policy on its way, with the step of training that made it."""
    return records.append_column(
        SNAPSHOT_SCHEMA.field("step"), pa.array([step] * len(records), pa.int32())
    )


def write_records(path: Path | str, records: pa.Table) -> None:
    """Write records to a Parquet file, atomically."""
    with atomic(path) as temporary:
        pq.write_table(records, temporary, compression="zstd")


def read_part(path: Path | str) -> pa.Table:
    """Read a part of an unfinished evaluation; raises `DataError` as `read_records` does."""
    return read_table(path, SCHEMA)


def read_records(path: Path | str) -> pd.DataFrame:
    """Read a records file; DataError if it is missing, truncated or of another schema."""
    return read_table(path, SCHEMA).to_pandas()


def read_snapshots(path: Path | str) -> pd.DataFrame:
    """Read the records of a run's policies on its way, all in one file; raises `DataError` too."""
    return read_table(path, SNAPSHOT_SCHEMA).to_pandas()
