"""Rewards of a step's completions: by verdict, by right steps, by an erring judge, or by a coin."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from maspo.config import Experiment, Train
from maspo.seeding import numpy_generator
from maspo.tasks import Problem

Credit = Callable[[Problem, str], float]  # of a wrong completion of a problem, in [0, 1)


def partial_credit(experiment: Experiment) -> Credit | None:
    """Return what a wrong completion is worth by its steps; None unless `train.reward=steps`."""
    if experiment.train.reward != "steps":
        return None
    from maspo.tasks.kinds import task_kind  # with pandas, which other trainings do without

    task, credit = experiment.task, task_kind(experiment.task).credit
    return lambda problem, text: credit(task, problem.question, text)


def draw_rewards(
    right: NDArray[np.bool_],
    settings: Train,
    seed: int,
    step: int,
    credits: Sequence[float] | None = None,
) -> Tensor:
    """Return the reward of each completion of a step, in [0, 1], (completions,) float32.

    `right` says of each completion, group by group, whether the verifier called it correct. Of the
    right ones the share `train.false_negatives` gets 0, of the others the share
    `train.false_positives` gets 1; with `train.reward=random` a fair coin is drawn instead. With
    `credits`, a number for each completion, a wrong one gets its own (`partial_credit`).

    Each draw depends on seed, step and place alone: a run can be resumed, a part of its rewards
    can be computed again, and what errs at a rate errs at every higher one too.
    """
    if settings.reward == "random":
        coins = numpy_generator(seed, "coin", step).integers(2, size=len(right))
        return torch.from_numpy(coins).float()
    if credits is not None:
        return torch.from_numpy(np.where(right, 1.0, credits)).float()
    rates = np.where(right, settings.false_negatives, settings.false_positives)
    errs = numpy_generator(seed, "judge", step).random(len(right)) < rates
    return torch.from_numpy(right ^ errs).float()
