"""An objective of one's own, to start from: `python -m maspo.testbed examples/my_objective.py`.

The ratio is clipped in its logarithm, so that a token may halve as easily as double.
"""

import math

import torch

LIMIT = math.log(1.25)


def objective(batch):
    """Return the loss of a maspo.objectives.PolicyBatch, whose tensors are (B, T)."""
    log_ratio = (batch.log_prob - batch.old_log_prob).clamp(-20, 20)
    plain = log_ratio.exp() * batch.advantages
    clipped = log_ratio.clamp(-LIMIT, LIMIT).exp() * batch.advantages
    gain = torch.where(batch.mask, torch.minimum(plain, clipped), 0.0)
    return -gain.sum() / (batch.total_tokens or batch.mask.sum())
