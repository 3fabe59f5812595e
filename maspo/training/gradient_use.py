"""Which tokens a method learns from, by how probable the old policy held them.

The paper's argument against a hard clip is that it takes the gradient from improbable tokens
first; these counts measure it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

# Of the old probability; a miniature's policy is sure of most tokens, so both ends are fine.
EDGES = (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 1.0)


def gradient_use(old_log_prob: Tensor, advantages: Tensor, weight: Tensor, mask: Tensor) -> Tensor:
    """Return a (3, bins) float64 tensor of one update, over tokens with an advantage but 0.

    All arguments are (B, T). The rows count the tokens of each bin of the old probability, those
    of them with a gradient but 0, and sum the gradient weights (1 is the plain policy gradient's).
    """
    chosen = mask & (advantages != 0)
    # On the CPU: weighted counts have no deterministic kernel on a GPU.
    weight = weight[chosen].double().cpu()
    bins = torch.bucketize(old_log_prob[chosen].exp().cpu(), torch.tensor(EDGES[1:-1]), right=True)
    return torch.stack(
        [
            torch.bincount(bins, weights, minlength=len(EDGES) - 1)
            for weights in (torch.ones_like(weight), (weight != 0).double(), weight)
        ]
    )


def as_metric(uses: Sequence[Tensor]) -> dict[str, list[float]]:
    """Return the sum over the updates of a step, as the log keeps it."""
    tokens, nonzero, weight = torch.stack(list(uses)).sum(0).tolist()
    return {
        "edges": list(EDGES),
        "tokens": [round(count) for count in tokens],
        "nonzero": [round(count) for count in nonzero],
        "weight": weight,
    }
