"""Rewards of a step's completions: the verifier's, those of a judge that errs, or a coin's."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maspo.config import Train
from maspo.seeding import numpy_generator


def draw_rewards(right: NDArray[np.bool_], settings: Train, seed: int, step: int) -> Tensor:
    """Return the reward of each completion of a step, 0 or 1, (completions,) float32.

    `right` says of each completion, group by group, whether the verifier called it correct. Of the
    right ones the share `train.false_negatives` gets 0, of the others the share
    `train.false_positives` gets 1; with `train.reward=random` a fair coin is drawn instead.

    Each draw depends on seed, step and place alone: a run can be resumed, a part of its rewards
    can be computed again, and what errs at a rate errs at every higher one too.
    """
    if settings.reward == "random":
        coins = numpy_generator(seed, "coin", step).integers(2, size=len(right))
        return torch.from_numpy(coins).float()
    rates = np.where(right, settings.false_negatives, settings.false_positives)
    errs = numpy_generator(seed, "judge", step).random(len(right)) < rates
    return torch.from_numpy(right ^ errs).float()
