"""Where the six real benchmarks lie, for the tests and measurements that read them.

They are no part of the repository: their licences differ. Put one JSONL file of each into a folder,
as their authors publish them, and name the folder in the variable MASPO_BENCHMARKS.
"""

import os
from pathlib import Path

import pytest

BENCHMARKS = ("aime24", "aime25", "amc23", "math500", "minerva_math", "olympiadbench")
BESIDE = Path(__file__).resolve().parents[2] / "shared" / "benchmarks"
DIRECTORY = Path(os.environ.get("MASPO_BENCHMARKS", BESIDE))
NEEDED = pytest.mark.skipif(
    not all((DIRECTORY / f"{name}.jsonl").is_file() for name in BENCHMARKS),
    reason="the six benchmarks are not here: put "
    + ", ".join(f"{name}.jsonl" for name in BENCHMARKS)
    + f" into a folder and set MASPO_BENCHMARKS to it (looked in {DIRECTORY}; docs/data.md)",
)
