"""Which tokens a method learns from, and how far it lets them move.

The paper's argument against a hard clip is that it takes the gradient from improbable tokens
first; counts by the old probability measure it. Counts by the ratio measure the trust region
itself: how far tokens go beyond it, and what weight they still have there.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

# Of the old probability; a miniature's policy is sure of most tokens, so both ends are fine.
PROBABILITIES = (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 1.0)
# Of the ratio in the direction of the advantage, see `outward_ratio`; 1.2 and 1.28 are upper clips.
RATIOS = (0.0, 0.1, 0.5, 0.8, 0.9, 0.99, 1.01, 1.1, 1.2, 1.28, 1.5, 2.0, 4.0, 10.0, 100.0, 1e9)


def outward_ratio(log_prob: Tensor, old_log_prob: Tensor, advantages: Tensor) -> Tensor:
    """Return the ratio of each token, (B, T), or its inverse where the advantage is negative.

    Above 1 the token has moved the way its advantage pulls, which is where trust regions act.
    """
    return (advantages.sign() * (log_prob.detach() - old_log_prob)).clamp(-20, 20).exp()


def counts(values: Tensor, edges: Sequence[float], weight: Tensor, chosen: Tensor) -> Tensor:
    """Return a (3, bins) float64 tensor over the chosen tokens of one update.

    `values`, `weight` and `chosen` (bool) are (B, T). The rows count the tokens of each bin of
    `values`, those of them with a gradient but 0, and sum the gradient weights (1 is the plain
    policy gradient's).
    """
    # On the CPU: weighted counts have no deterministic kernel on a GPU.
    weight = weight[chosen].double().cpu()
    bins = bins_of(values[chosen], edges)
    return torch.stack(
        [
            torch.bincount(bins, weights, minlength=len(edges) - 1)
            for weights in (torch.ones_like(weight), (weight != 0).double(), weight)
        ]
    )


def moves(before: Tensor, after: Tensor) -> Tensor:
    """Return a (bins, bins) count of tokens by two outward ratios, (N,): then, and later."""
    bins = len(RATIOS) - 1
    pairs = bins_of(before, RATIOS) * bins + bins_of(after, RATIOS)
    return torch.bincount(pairs, minlength=bins * bins).view(bins, bins)


def bins_of(values: Tensor, edges: Sequence[float]) -> Tensor:
    """Return the bin of each value; a bin holds its lower edge and not its upper one."""
    return torch.bucketize(values.cpu(), torch.tensor(edges[1:-1]), right=True)


def as_metric(updates: Sequence[Tensor], edges: Sequence[float]) -> dict[str, list[float]]:
    """Return the sum of `counts` over the updates of a step, as the log keeps it."""
    tokens, nonzero, weight = torch.stack(list(updates)).sum(0).tolist()
    return {
        "edges": list(edges),
        "tokens": [round(count) for count in tokens],
        "nonzero": [round(count) for count in nonzero],
        "weight": weight,
    }
