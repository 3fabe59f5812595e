"""What the objectives share: ratio, clip surrogate, aggregation, masked statistics.

Shapes: B sequences, T tokens. `mask` is a bool tensor (B, T), true on the tokens that count.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import torch

LOG_RATIO_LIMIT = 20.0
AGGREGATIONS = ("token_mean", "seq_mean_token_mean", "seq_mean_token_sum")


def log_ratio(
    log_prob: torch.Tensor, old_log_prob: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Return log rho = clamp(log_prob - old_log_prob, -20, 20), and 0 on masked tokens.

    (B, T) in nats. Masked inputs may hold anything, NaN and infinities included: neither the
    value nor the gradient sees them. Beyond the clamp the gradient is 0, as in the released code.
    """
    difference = torch.where(mask, log_prob - old_log_prob, 0.0)
    return difference.clamp(-LOG_RATIO_LIMIT, LOG_RATIO_LIMIT)


def clip_surrogate(
    ratio: torch.Tensor,
    advantages: torch.Tensor,
    low: float | torch.Tensor,
    high: float | torch.Tensor,
    dual_clip: float | None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return PPO's clipped surrogate and its gradient weight, both (B, T).

        min(rho A, clip(rho, low, high) A), and for A < 0 not below dual_clip * A

    With one sign of A only one side of the clip can bind, so the surrogate is bounded(rho) A with
    rho held in [0, high] where A > 0 and in [low, dual_clip] elsewhere. The weight is 1 inside
    and 0 where a bound took over.

    References: Schulman et al., arXiv 1707.06347, equation 7; dual clip: Ye et al.,
    arXiv 1912.09729.
    """
    positive = advantages > 0
    top = float("inf") if dual_clip is None else dual_clip
    bounded = ratio.clamp(choose(positive, 0.0, low, ratio), choose(positive, high, top, ratio))
    weight = (bounded == ratio).to(ratio.dtype)
    return bounded * advantages, weight


def choose(
    condition: torch.Tensor, yes: float | torch.Tensor, no: float | torch.Tensor, like: torch.Tensor
) -> torch.Tensor:
    """Return `torch.where(condition, yes, no)` with numbers in the type and place of `like`."""
    yes, no = (x if isinstance(x, torch.Tensor) else like.new_full((), x) for x in (yes, no))
    return torch.where(condition, yes, no)


def overshoot(deviation: torch.Tensor, advantages: torch.Tensor) -> torch.Tensor:
    """Return how far the policy already went where the advantage points, never below 0; (B, T).

    `deviation` is rho - 1 or log rho (minus a bound). Positive only where A > 0 and the deviation
    is positive, or A < 0 and it is negative: the two cases that a trust region has to hold.
    """
    return (deviation * advantages.sign()).clamp(min=0.0)


def aggregate(
    values: torch.Tensor,
    mask: torch.Tensor,
    how: str,
    total_tokens: float | torch.Tensor | None = None,
    total_sequences: float | torch.Tensor | None = None,
) -> torch.Tensor:
    """Reduce per-token values (B, T) to a scalar over the valid tokens.

    - `token_mean`: sum over all tokens / tokens
    - `seq_mean_token_mean`: mean over each sequence's tokens, summed / sequences
    - `seq_mean_token_sum`: sum over each sequence's tokens, summed / sequences

    A sequence counts when it has a valid token. `total_tokens` and `total_sequences` replace the
    denominators when this is one micro-batch of a mini-batch: the results then add up to the
    mini-batch's. With nothing valid the result is 0.

    Raises:
        ValueError: `how` is not one of `AGGREGATIONS`.
    """
    values = torch.where(mask, values, 0.0)
    if how == "token_mean":
        return values.sum() / _at_least_one(total_tokens, mask.sum())
    lengths = mask.sum(dim=-1)
    sequences = _at_least_one(total_sequences, (lengths > 0).sum())
    sums = values.sum(dim=-1)
    if how == "seq_mean_token_mean":
        return (sums / lengths.clamp(min=1)).sum() / sequences
    if how == "seq_mean_token_sum":
        return sums.sum() / sequences
    raise ValueError(f"aggregation must be one of {list(AGGREGATIONS)}, got {how!r}")


def masked_mean(values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean over the valid tokens as a scalar tensor, 0 when there is none."""
    return torch.where(mask, values, 0.0).sum() / mask.sum().clamp(min=1)


# Metrics of `statistics` whose value over several batches is an extreme; of all others it is the
# mean.
EXTREMES: dict[str, Callable[[Iterable[float]], float]] = {"ratio_min": min, "ratio_max": max}


def merge(parts: Sequence[dict[str, float]]) -> dict[str, float]:
    """Return the metrics of several updates, or of processes, as one row: means and `EXTREMES`."""
    row = {}
    for name in parts[0]:
        values = [part[name] for part in parts]
        row[name] = EXTREMES[name](values) if name in EXTREMES else sum(values) / len(values)
    return row


def statistics(
    ratio: torch.Tensor, log_rho: torch.Tensor, weight: torch.Tensor, mask: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return the metrics that every method logs, as scalar tensors.

    All are detached; `weight` and `log_rho` must be 0 on masked tokens. `approx_kl` estimates
    KL(old || new) in nats a token by rho - 1 - log rho (Schulman's k3, never negative).
    With nothing valid the ratios are 1 and the rest 0.
    """
    count = mask.sum()
    tokens = count.clamp(min=1)
    padding = mask.numel() - count
    excess = log_rho.expm1()  # rho - 1, exact near 0
    some = count > 0
    return {
        "ratio_mean": 1 + excess.sum() / tokens,
        "ratio_min": torch.where(some, torch.where(mask, ratio, float("inf")).min(), 1.0),
        "ratio_max": torch.where(some, torch.where(mask, ratio, 0.0).max(), 1.0),
        "approx_kl": (excess - log_rho).sum() / tokens,
        "gated_fraction": ((weight < 1).sum() - padding) / tokens,
        "zero_gradient_fraction": ((weight == 0).sum() - padding) / tokens,
        "weight_mean": weight.sum() / tokens,
    }


def to_floats(metrics: dict[str, float | torch.Tensor]) -> dict[str, float]:
    """Turn scalar tensors into floats with one transfer from the device, not one for each."""
    tensors = {name: value for name, value in metrics.items() if isinstance(value, torch.Tensor)}
    if not tensors:
        return dict(metrics)
    moved = torch.stack([value.detach().double() for value in tensors.values()]).tolist()
    return metrics | dict(zip(tensors, moved, strict=True))


def _at_least_one(total: float | torch.Tensor | None, own: torch.Tensor) -> float | torch.Tensor:
    if total is None:
        return own.clamp(min=1)
    return total.clamp(min=1) if isinstance(total, torch.Tensor) else max(total, 1)
