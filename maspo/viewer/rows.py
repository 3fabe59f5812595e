"""What a run or an evaluation drew, as rows of a page (`maspo.viewer.page`)."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from maspo.errors import ConfigError
from maspo.evaluation.records import SCHEMA, SNAPSHOT_SCHEMA
from maspo.layout import BASE_VARIANT
from maspo.policy import load_tokenizer
from maspo.tasks.problems import check_columns
from maspo.training.rollouts import FILE, NUMBERS
from maspo.training.rollouts import SCHEMA as ROLLOUTS
from maspo.viewer.page import Row

LAST = "end"  # the step of the policy that a run ended with
TURNED = "\ufffd"  # what bytes that are no whole character are decoded as
LONGEST = 4  # bytes of a character: no more tokens share one


def rows_of(folder: Path) -> Iterator[Row]:
    """Return the rows of the folder of a run or of an evaluation.

    Raises:
        ConfigError: the folder holds neither rollouts nor records.
        DataError: a file cannot be read.
    """
    if (folder / FILE).is_file():
        return rollout_rows(folder)
    if (folder / "records.parquet").is_file():
        return evaluation_rows(folder)
    raise ConfigError(
        f"{folder} holds neither {FILE} nor records.parquet: give a folder such as "
        "results/mini/runs/maspo/seed_1 or results/mini/evaluation/maspo/seed_1 "
        "(runs keep rollouts unless train.rollouts_mb=null)"
    )


def rollout_rows(folder: Path) -> Iterator[Row]:
    """Yield the completions that a run kept, with the numbers of their tokens."""
    tokenizer = load_tokenizer(folder / "policy")
    for row in read_rows(folder / FILE, ROLLOUTS):
        numbers = {
            short: None if row[name] is None else [float(f"{value:.4g}") for value in row[name]]
            for short, name in zip(("old", "new", "weight"), NUMBERS, strict=True)
        }
        facts = {name: row[name] for name in ("gold", "reward", "advantage", "seed")}
        facts["tokens"] = len(row["tokens"])
        parts = pieces(tokenizer, row["tokens"])
        content = {"prompt": row["prompt"], "facts": texts(facts), "pieces": parts, **numbers}
        named = {"step": str(row["step"]), "benchmark": "training", "problem": row["problem"]}
        named["verdict"] = row["verdict"]
        places = {"sample": row["sample"], "group": row["group"]}
        size = 30 * len(parts) + len(row["prompt"])
        yield {**named, **places, "content": content, "size": size}


def evaluation_rows(folder: Path) -> Iterator[Row]:
    """Yield the records of a policy, of those on its way, and of its base policy beside them."""
    variant, seed = folder.parent.name, folder.name
    if variant == BASE_VARIANT:
        yield from record_rows(folder / "records.parquet", BASE_VARIANT)
        return
    yield from record_rows(folder / "records.parquet", LAST)
    if (folder / "snapshots.parquet").is_file():
        yield from record_rows(folder / "snapshots.parquet")
    for base in (seed, "seed_0"):  # a published policy is one for all runs
        records = folder.parents[1] / BASE_VARIANT / base / "records.parquet"
        if records.is_file():
            yield from record_rows(records, BASE_VARIANT)
            return


def record_rows(path: Path, step: str | None = None) -> Iterator[Row]:
    """Yield the rows of a file of records; without `step` each record has its own."""
    for row in read_rows(path, SCHEMA if step else SNAPSHOT_SCHEMA):
        facts = {name: row[name] for name in ("gold", "answer", "seed", "tokens")}
        named = {name: row[name] for name in ("benchmark", "problem", "verdict", "sample")}
        content = {"text": row["text"], "facts": texts(facts)}
        yield {
            **named,
            "step": step or str(row["step"]),
            "content": content,
            "size": len(row["text"]),
        }


def read_rows(path: Path, schema: Any) -> Iterator[dict[str, Any]]:
    """Yield the rows of a Parquet file of a schema, a part of the file at a time."""
    file = pq.ParquetFile(path)
    check_columns(path, file.schema_arrow, schema)
    for batch in file.iter_batches(1024):
        yield from batch.to_pylist()


def texts(facts: dict[str, Any]) -> dict[str, str]:
    """Return facts as texts: a seed of 63 bits is no number of a browser's."""
    return {name: f"{x:.4g}" if isinstance(x, float) else str(x) for name, x in facts.items()}


def pieces(tokenizer: PreTrainedTokenizerBase, tokens: Sequence[int]) -> list[str]:
    """Return the text of each token; a character of several stands with the last of them."""
    found: list[str] = []
    waiting: list[int] = []
    for token in tokens:
        waiting.append(token)
        text = str(tokenizer.decode(waiting, clean_up_tokenization_spaces=False))
        whole = not text.endswith(TURNED) or len(waiting) == LONGEST
        found.append(text if whole else "")
        if whole:
            waiting = []
    if waiting:
        found[-1] = str(tokenizer.decode(waiting))
    return found
