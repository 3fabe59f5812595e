"""Collapse of a run: what it is and when a log shows it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from maspo.reporting.analysis import Collapse
from maspo.reporting.efficiency import running_mean
from maspo.reporting.study_data import StudyData
from maspo.reporting.suite import Suite


class Fate(NamedTuple):
    """How one run ended."""

    reward: bool  # lost much of the best reward that it has had
    entropy: bool  # became certain before it had solved the task
    final_reward: float
    final_entropy: float  # nats a token

    @property
    def collapsed(self) -> bool:
        """Either of the two."""
        return self.reward or self.entropy


def definition(settings: Collapse) -> str:
    """Return the definition in words."""
    return (
        f"A run collapsed if, in the mean of its last {settings.window} steps, the reward is "
        f"below {100 * settings.reward_share:g} % of the best mean of {settings.window} "
        f"consecutive steps, or the entropy is below {100 * settings.entropy_share:g} % of that "
        f"of the first step while the reward is below {100 * settings.solved:g} %."
    )


def fate(reward: NDArray[np.float64], entropy: NDArray[np.float64], settings: Collapse) -> Fate:
    """Judge one run by its logged reward and entropy, one value a step."""
    means = running_mean(reward, settings.window)
    final_reward, final_entropy = means[-1], running_mean(entropy, settings.window)[-1]
    # Asked the other way round, so that a log of NaN is a collapse.
    rich = final_entropy >= settings.entropy_share * entropy[0]
    return Fate(
        not final_reward >= settings.reward_share * means.max(),
        not (rich or final_reward >= settings.solved),
        float(final_reward),
        float(final_entropy),
    )


def fates(data: StudyData, variant: str) -> list[Fate]:
    """Return how each seed of a variant ended."""
    logs = (data.logged(variant, name) for name in ("reward", "entropy"))
    return [fate(*run, data.analysis.collapse) for run in zip(*logs, strict=True)]


def collapses(suite: Suite) -> dict[tuple[str, int], bool]:
    """Return whether each run of a suite collapsed, by (variant, seed), each run once."""
    return {
        (variant, seed): run.collapsed
        for data in suite.studies
        for variant in data.study.variants
        for (_, seed), run in zip(data.study.runs_of(variant), fates(data, variant), strict=True)
    }
