"""What the groups of a step allow its log to say.

With `right` of all completions right, in groups of `size`, only so many groups can be uniform (all
right or all wrong), and only tokens of the others have an advantage that could move them.
"""

import math
from collections.abc import Iterator
from typing import Any

Row = dict[str, Any]


def group_faults(
    row: Row, groups: int, size: int, limit: int, partial: bool = False
) -> Iterator[tuple[str, str]]:
    """Yield (expected, found) of each number of a log that `groups` of `size` cannot give.

    `limit` is the most tokens a completion may have. The least is 1, but for one that the sampler
    could not draw (`error`). With `partial` credit a reward may be any number from 0 to 1.
    """
    uniform = row["uniform_groups"]
    mixed = groups - uniform
    if not partial:
        rewarded = row["reward"] * groups * size
        right = round(rewarded)
        if not math.isclose(rewarded, right, abs_tol=1e-4 * size):
            yield f"a reward that is a share of {groups * size} completions", str(row["reward"])
            return
        # Of the uniform groups `full` are all right; each other one has 1 to size - 1 right.
        if not any(
            size * full + mixed <= right <= size * full + mixed * (size - 1)
            for full in range(uniform + 1)
        ):
            yield f"uniform groups that {right} of {groups * size} can be right in", str(uniform)
            return
    moved = sum(row["gradient_use"]["tokens"])
    least = max(mixed * size - row["error"], 0)
    most = min(mixed * size * limit, row["tokens"] - max(uniform * size - row["error"], 0))
    if not least <= moved <= most:
        yield f"{least} to {most} tokens with an advantage, of {mixed} groups", str(moved)
    if not mixed and row["gradient_norm"]:
        yield "no gradient where all groups are uniform", str(row["gradient_norm"])


def use_faults(row: Row) -> Iterator[tuple[str, str]]:
    """Compare the counts of the same tokens by probability and by ratio."""
    uses = {name: row[name] for name in ("gradient_use", "ratio_use")}
    for name, use in uses.items():
        bins = zip(use["nonzero"], use["weight"], strict=True)
        if any(weight and not count for count, weight in bins):
            yield f"{name} without a weight where no token has one", str(use["weight"])
    for part in ("nonzero", "weight"):
        one, other = (sum(use[part]) for use in uses.values())
        if not math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-6):
            yield f"equal sums of {part} in gradient_use and ratio_use", f"{one} and {other}"
