"""What one step of the RL loop holds: a rollout, its mini-batches, and what the updates say."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from maspo.policy import PaddedBatch
from maspo.sampling import Completion
from maspo.training.sampler_gap import gap_metrics
from maspo.verifier import Verdict


@dataclass
class Rollout:
    """One batch of completions: consecutive runs of `group_size` rows answer the same prompt."""

    rows: list[int]  # of the problems
    prompts: list[list[int]]
    seeds: list[int]
    completions: list[Completion]
    verdicts: list[Verdict]
    rewards: Tensor  # (B,)
    metrics: dict[str, float]


@dataclass(frozen=True)
class MiniBatch:
    """The rows of one update that have an advantage, with what the old policy said about them.

    Rows without an advantage have no gradient; `total_tokens` and `total_sequences` count them all
    the same, so that losses and gradients are those of the whole mini-batch. A mini-batch without
    any advantage keeps all of its rows.
    """

    rows: list[int]  # of the rollout
    padded: PaddedBatch
    advantages: Tensor  # (B, T), the same number on every token of a completion
    old_log_prob: Tensor  # (B, T)
    old_entropy: Tensor  # (B, T), nats
    total_tokens: int
    total_sequences: int
    gap: Tensor | None = None  # (B, T), log trainer's - log sampler's, where the sampler gives its
    importance: Tensor | None = None  # (B, T), of each token's surrogate

    @property
    def moved(self) -> Tensor:
        """The tokens that an advantage moves, (B, T) bool."""
        return self.padded.valid & (self.advantages != 0)


@dataclass(frozen=True)
class Update:
    """What one optimizer step says about its mini-batch."""

    metrics: dict[str, float]
    by_probability: Tensor  # `counts` by the old probability
    by_ratio: Tensor  # `counts` by the outward ratio
    ratio: Tensor  # outward, of each token that an advantage moves, (N,)
    log_prob: Tensor  # (B, T), under the policy before the update
    weight: Tensor  # (B, T), see `ObjectiveOutput`


def summarize(mini_batches: Sequence[MiniBatch], idle: Tensor) -> dict[str, float]:
    """Return what a whole rollout batch says: the old policy's mean entropy (nats a token).

    `idle` are the entropies of tokens in no mini-batch. And the gap to the sampler, where the
    sampler gives log-probabilities.
    """
    read = [m.old_entropy[m.padded.mask] for m in mini_batches]
    entropies = torch.cat([*read, idle.to(read[0])])
    summary = {"entropy": entropies.double().mean().item()}
    gaps = [m.gap[m.padded.mask] for m in mini_batches if m.gap is not None]
    return summary | (gap_metrics(torch.cat(gaps)) if gaps else {})
