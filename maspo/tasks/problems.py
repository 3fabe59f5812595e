"""The one schema of problems, for training and for every benchmark."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from maspo.errors import DataError
from maspo.files import atomic
from maspo.layout import missing

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("messages", pa.list_(pa.struct([("role", pa.string()), ("content", pa.string())]))),
        ("answer", pa.string()),
        ("source", pa.string()),
    ]
)


@dataclass(frozen=True)
class Problem:
    """A question as chat messages, its gold answer, and the data set that it comes from.

    `id` depends on the messages alone, so the same question has the same id in every source.
    """

    id: str
    messages: tuple[dict[str, str], ...]
    answer: str
    source: str

    @property
    def question(self) -> str:
        """The last message, behind the examples."""
        return self.messages[-1]["content"]

    @classmethod
    def create(
        cls, question: str, answer: str, source: str, examples: Sequence[tuple[str, str]] = ()
    ) -> "Problem":
        """Return a problem of one user message, identified by its content.

        `examples` (question, completion) are earlier turns of the conversation.
        """
        turns = [text for example in examples for text in example] + [question]
        roles = ("user", "assistant")
        messages = tuple({"role": roles[i % 2], "content": text} for i, text in enumerate(turns))
        content = json.dumps(messages, ensure_ascii=False, sort_keys=True)
        return cls(hashlib.sha256(content.encode()).hexdigest()[:16], messages, answer, source)


@dataclass(frozen=True)
class TaskData:
    """What a kind of task makes: problems, and for real data the reports on them."""

    training: list[Problem]
    benchmarks: dict[str, list[Problem]]  # by name
    others: dict[str, list[Problem]] = field(default_factory=dict)  # further training files by name
    texts: dict[str, str] = field(default_factory=dict)  # report by file name
    inputs: list[Path] = field(default_factory=list)  # files that were read
    seeds: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Lessons:
    """What the base policy of a seed is taught.

    `demonstrate` gives a worked completion of a question, which may be wrong; `table` says as CSV
    what the policy is taught, and is written beside it.
    """

    demonstrate: Callable[[str, np.random.Generator], str]
    table: str


def write_problems(path: Path | str, problems: Sequence[Problem]) -> None:
    """Write problems to a Parquet file of `SCHEMA`, atomically."""
    table = pa.Table.from_pylist([asdict(problem) for problem in problems], schema=SCHEMA)
    with atomic(path) as temporary:
        pq.write_table(table, temporary)


def read_problems(path: Path | str) -> list[Problem]:
    """Read a Parquet file of `SCHEMA`.

    Raises:
        DataError: the file is missing, truncated or has other columns.
    """
    table = read_table(path, SCHEMA)
    return [Problem(**{**row, "messages": tuple(row["messages"])}) for row in table.to_pylist()]


def read_table(path: Path | str, schema: pa.Schema) -> pa.Table:
    """Read a Parquet file and check its columns against `schema`.

    Raises:
        DataError: the file is missing, truncated or of another schema; the message names it.
    """
    try:
        table = pq.read_table(path)
    except FileNotFoundError as error:
        raise DataError(missing(path)) from error
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"could not read {path} as Parquet: {error}") from error
    check_columns(path, table.schema, schema)
    return table


def check_columns(path: Path | str, found: pa.Schema, schema: pa.Schema) -> None:
    """Raise `DataError` where a file's columns are not those of `schema`."""
    if not found.equals(schema):
        raise DataError(
            f"{path} has columns {_columns(found)}, expected {_columns(schema)}: it is not "
            "what this version writes; delete it and run the step that makes it"
        )


def _columns(schema: pa.Schema) -> str:
    return ", ".join(f"{field.name} ({field.type})" for field in schema)
