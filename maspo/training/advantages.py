"""Group-relative advantages."""

import torch
from torch import Tensor


def group_relative(rewards: Tensor, normalize_std: bool = True, eps: float = 1e-6) -> Tensor:
    """Return (r - mean) / std of each group, or r - mean without `normalize_std` (Dr. GRPO).

    Args:
        rewards: (groups, group size).
        normalize_std: divide by the group's sample standard deviation, as the paper does.
        eps: added to the standard deviation.

    A group in which all rewards are equal teaches nothing: its advantages are exactly zero.
    """
    centred = rewards - rewards.mean(dim=1, keepdim=True)
    if normalize_std:
        centred = centred / (rewards.std(dim=1, keepdim=True) + eps)
    uniform = (rewards == rewards[:, :1]).all(dim=1, keepdim=True)
    return torch.where(uniform, 0.0, centred)
