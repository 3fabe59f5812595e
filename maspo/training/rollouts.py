"""A seeded sample of what a run drew and learned from: some groups a step, in one Parquet file.

Which groups are kept follows from settings and seed alone: anybody can tell whether a file is the
sample or a choice. They are as many as fit the size limit if every completion were the longest.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from maspo.config import Train
from maspo.files import atomic
from maspo.seeding import numpy_generator
from maspo.tasks import Problem
from maspo.tasks.problems import read_table

if TYPE_CHECKING:  # readers of the file, such as the archive, load no torch
    from maspo.training.batches import MiniBatch, Rollout, Update

FILE = "rollouts.parquet"
TOKEN_BYTES = 20  # an id, three numbers, and four characters of text; Parquet needs less
NUMBERS = ("old_log_prob", "log_prob", "weight")  # of each token
SCHEMA = pa.schema(
    [
        ("step", pa.int32()),
        ("group", pa.int32()),  # its place in the step's batch
        ("sample", pa.int32()),  # its place in the group
        ("seed", pa.int64()),
        ("problem", pa.string()),
        ("prompt", pa.string()),  # as the policy read it, marks of the chat template included
        ("text", pa.string()),
        ("gold", pa.string()),
        ("verdict", pa.string()),
        ("reward", pa.float32()),
        ("advantage", pa.float32()),
        ("tokens", pa.list_(pa.int32())),
        # At the update that learned from the token; null where no update read the completion,
        # because its group has no advantage.
        *((name, pa.list_(pa.float32())) for name in NUMBERS),
    ]
)
TEXTS = ["problem", "prompt", "text", "gold", "verdict"]


def groups_kept(settings: Train, max_tokens: int) -> int:
    """Return how many groups of each step are kept: 0 where not even one fits the limit."""
    if settings.rollouts_mb is None:
        return 0
    group = settings.group_size * max_tokens * TOKEN_BYTES
    return min(int(settings.rollouts_mb * 1e6 / settings.steps / group), settings.prompts_per_batch)


def sampled_groups(settings: Train, max_tokens: int, seed: int, step: int) -> list[int]:
    """Return the places in a step's batch of the groups that are kept, in rising order."""
    order = numpy_generator(seed, "rollouts kept", step).permutation(settings.prompts_per_batch)
    return sorted(order[: groups_kept(settings, max_tokens)].tolist())


def kept_rows(
    step: int,
    groups: Sequence[int],
    size: int,
    rollout: Rollout,
    prompts: Sequence[str],
    problems: Sequence[Problem],
    mini_batches: Sequence[MiniBatch],
    updates: Sequence[Update],
) -> pa.Table:
    """Return the rows of one step's groups, of `size` completions each.

    `prompts` are the texts of the groups' prompts; `problems` those that `rollout.rows` index.
    """
    read = {
        row: (mini_batch, update, place)
        for mini_batch, update in zip(mini_batches, updates, strict=True)
        for place, row in enumerate(mini_batch.rows)
    }
    rows = []
    for group, prompt in zip(groups, prompts, strict=True):
        for sample in range(size):
            row = group * size + sample
            completion, problem = rollout.completions[row], problems[rollout.rows[row]]
            numbers, advantage = dict.fromkeys(NUMBERS), 0.0
            if row in read:
                mini_batch, update, place = read[row]
                tokens = slice(len(completion.tokens))
                sources = (mini_batch.old_log_prob, update.log_prob, update.weight)
                numbers = {
                    name: source[place, tokens].tolist()
                    for name, source in zip(NUMBERS, sources, strict=True)
                }
                advantage = mini_batch.advantages[place, 0].item()
            rows.append(
                {
                    "step": step,
                    "group": group,
                    "sample": sample,
                    "seed": rollout.seeds[row],
                    "problem": problem.id,
                    "prompt": prompt,
                    "text": completion.text,
                    "gold": problem.answer,
                    "verdict": rollout.verdicts[row].value,
                    "reward": rollout.rewards[row].item(),
                    "advantage": advantage,
                    "tokens": list(completion.tokens),
                    **numbers,
                }
            )
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def write_rollouts(path: Path, rows: pa.Table) -> None:
    """Write rows of `SCHEMA` to a Parquet file, atomically."""
    with atomic(path) as temporary:  # numbers do not recur: a dictionary of them is for nothing
        pq.write_table(rows, temporary, compression="zstd", use_dictionary=TEXTS)


def read_rollouts(path: Path) -> pa.Table:
    """Read a file of `SCHEMA`; DataError if it is missing, truncated or of another schema."""
    return read_table(path, SCHEMA)


def join_steps(parts: Sequence[Path]) -> pa.Table:
    """Return the rows of the files of single steps, in their order, as one table."""
    return pa.concat_tables(map(read_rollouts, parts)).combine_chunks()
