"""Dr. GRPO: GRPO without the length bias of its aggregation."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from maspo.objectives.base import PolicyBatch, register
from maspo.objectives.constraints import setting
from maspo.objectives.grpo import Grpo


@register("dr_grpo")
@dataclass(frozen=True, kw_only=True)
class DrGrpo(Grpo):
    """GRPO's surrogate, summed over each sequence and divided by a constant length.

        loss = -(1 / sequences) sum_i (1 / max_tokens) sum_t s_it

    `max_tokens` is the generation budget of the run, in tokens; a constant, so that neither the
    length of an answer nor the padding of a batch changes the weight of its tokens. The other
    half of Dr. GRPO, advantages without division by the group's standard deviation, is a setting
    of the training and not of the objective.
    Reference: Liu et al., arXiv 2503.20783, and its released code `train_zero_math.py`.
    """

    aggregation: str = setting("seq_mean_token_sum", choices=("seq_mean_token_sum",))
    dual_clip: float | None = setting(None, above=1, optional=True)
    max_tokens: float = setting(3000, at_least=1)

    def reduce(self, values: torch.Tensor, batch: PolicyBatch, mask: torch.Tensor) -> torch.Tensor:
        return super().reduce(values, batch, mask) / self.max_tokens
