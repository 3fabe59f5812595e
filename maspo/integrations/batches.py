"""Objectives that must see a whole mini-batch, under trainers that cut it into micro-batches."""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from maspo.objectives import Objective, PolicyBatch
from maspo.objectives.bapo import Bapo
from maspo.objectives.base import Tokens

Part = tuple[
    Tensor, Tensor, Tensor
]  # log_prob, old_log_prob, advantages of valid tokens, each (n,)


def needs_whole_batch(objective: Objective) -> bool:
    """Return whether the gradient of a micro-batch depends on the other micro-batches.

    BAPO searches its bounds on the mini-batch. Every other method only needs the totals that
    `PolicyBatch` has fields for.
    """
    return isinstance(objective, Bapo)


def valid_tokens(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor, mask: Tensor) -> Part:
    """Return the valid tokens of a micro-batch (B, T), detached and on the CPU, each (n,)."""
    mask = mask.bool()
    return tuple(value.detach()[mask].cpu() for value in (log_prob, old_log_prob, advantages))


def fix_bounds(objective: Bapo, parts: Sequence[Part]) -> Bapo:
    """Return `objective` with the bounds that its search finds on all the parts together."""
    columns = zip(*parts, strict=True)
    log_prob, old_log_prob, advantages = (torch.cat(values)[None] for values in columns)
    mask = torch.ones_like(advantages, dtype=torch.bool)
    low, high, _ = objective.search(Tokens(PolicyBatch(log_prob, old_log_prob, advantages, mask)))
    return replace(
        objective, clip_low_start=low, clip_low_end=low, clip_high_start=high, clip_high_end=high
    )
