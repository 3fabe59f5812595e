"""What is known of a step before it is made: its problems and its learning rate."""

import numpy as np

from maspo.config import Train
from maspo.seeding import numpy_generator


def learning_rate(settings: Train, step: int) -> float:
    """Return the rate of a step's updates; it depends on the step alone, so a run can resume."""
    if settings.lr_schedule == "constant":
        return settings.lr
    left = 1 - (step - 1) / settings.steps
    return settings.lr * (settings.min_lr_ratio + (1 - settings.min_lr_ratio) * left)


def epoch_rows(count: int, batch: int, seed: int, step: int) -> list[int]:
    """Return the rows of the `step`-th batch (from 1) of an endless walk over `count` problems.

    Every epoch is a permutation of its own, so no row comes twice before all have come once.
    """
    first = (step - 1) * batch
    epochs = range(first // count, (first + batch - 1) // count + 1)
    walk = np.concatenate([numpy_generator(seed, "epoch", e).permutation(count) for e in epochs])
    offset = first - epochs[0] * count
    return walk[offset : offset + batch].tolist()
