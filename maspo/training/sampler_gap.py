"""Log-probabilities of one policy by two engines: the trainer's, and the sampler's.

Two engines with the same weights round differently, so the tokens were drawn from a policy that is
not quite the one whose gradient is taken.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from maspo.sampling import Completion


def sampler_log_probs(completions: Sequence[Completion], mask: Tensor) -> Tensor | None:
    """Return the sampler's log-probabilities as (B, T) float32, or None where it gives none.

    `mask` is (B, T), true on completion tokens; elsewhere the result is 0.
    """
    if all(completion.log_probs is None for completion in completions):
        return None
    rows = torch.zeros(mask.shape)
    for row, completion in zip(rows, completions, strict=True):
        row[: len(completion.tokens)] = torch.tensor(completion.log_probs or ())
    return rows.to(mask.device)


def importance_weights(gap: Tensor, cap: float) -> Tensor:
    """Return min(trainer's / sampler's probability, cap) of each token, from their log-ratio.

    This is truncated importance sampling: it corrects the gradient for the policy that drew the
    tokens, and the cap bounds its variance (Yao et al. 2025; Ionides 2008 for the truncation).
    """
    return gap.exp().clamp(max=cap)


def gap_metrics(gap: Tensor) -> dict[str, float]:
    """Return size and divergence of a gap: log trainer's - log sampler's, of N drawn tokens, (N,).

    `k3` estimates KL(sampler || trainer) in nats as the mean of r - 1 - log r with r the
    trainer's over the sampler's probability: unbiased, and never negative (Schulman 2020).
    """
    gap = gap.double()
    return {
        "sampler_gap_mean": gap.abs().mean().item(),
        "sampler_gap_max": gap.abs().max().item(),
        "sampler_gap_k3": (gap.expm1() - gap).mean().item(),
    }
