"""Training problems in the layout of verl's data sets."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from maspo.files import atomic
from maspo.tasks import Problem


def write_verl_problems(path: Path, problems: Sequence[Problem]) -> None:
    """Write problems to a Parquet file as verl's `RLHFDataset` reads it, atomically."""
    rows = [
        {
            "data_source": problem.source,
            "prompt": list(problem.messages),
            "ability": "math",
            "reward_model": {"style": "rule", "ground_truth": problem.answer},
            "extra_info": {"index": index, "id": problem.id},
        }
        for index, problem in enumerate(problems)
    ]
    with atomic(path) as temporary:
        pq.write_table(pa.Table.from_pylist(rows), temporary)
