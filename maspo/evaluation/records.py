"""Records: one row for every completion of an evaluation. All metrics come from them alone."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from maspo.evaluation.metrics import avg_at_k, best_at_k, pass_at_k
from maspo.files import atomic
from maspo.tasks.problems import read_table
from maspo.verifier import Verdict

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


def write_records(path: Path | str, records: pa.Table) -> None:
    """Write records to a Parquet file, atomically."""
    with atomic(path) as temporary:
        pq.write_table(records, temporary, compression="zstd")


def read_records(path: Path | str) -> pd.DataFrame:
    """Read a records file; DataError if it is missing, truncated or of another schema."""
    return read_table(path, SCHEMA).to_pandas()


def score(records: pd.DataFrame) -> pd.DataFrame:
    """Return one row a benchmark with avg_at_k, pass_at_k and best_at_k, k = n samples, in [0, 1].

    The mean over problems; `problems` and `samples` count what it is a mean of.

    Raises:
        ValueError: problems of one benchmark have different numbers of samples.
    """
    rows = []
    for benchmark, group in records.groupby("benchmark", sort=False):
        correct = (
            group["verdict"]
            .eq(Verdict.CORRECT.value)
            .groupby(group["problem"])
            .agg(["sum", "size"])
        )
        sizes = sorted(set(correct["size"]))
        if len(sizes) != 1:
            raise ValueError(
                f"benchmark {benchmark}: problems have {sizes} samples, not one number"
            )
        counts, n = correct["sum"].to_numpy(), int(sizes[0])
        rows.append(
            {
                "benchmark": benchmark,
                "problems": len(counts),
                "samples": n,
                "avg_at_k": avg_at_k(counts, n).mean(),
                "pass_at_k": pass_at_k(counts, n, n).mean(),
                "best_at_k": best_at_k(counts, n, n).mean(),
                "mean_tokens": group["tokens"].mean(),
                "no_answer": int(group["verdict"].eq(Verdict.NO_ANSWER.value).sum()),
                "timeout": int(group["verdict"].eq(Verdict.TIMEOUT.value).sum()),
                "error": int(group["verdict"].eq(Verdict.ERROR.value).sum()),
            }
        )
    return pd.DataFrame(rows)
