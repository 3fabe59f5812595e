"""Outcomes with real effects of seed and problem, for the tests of this folder."""

import numpy as np
import pytest

from maspo.statistics import Outcomes, Settings


@pytest.fixture(scope="session")
def settings():
    return Settings(draws=1999, level=0.95, seed=0)


@pytest.fixture(scope="session")
def make():
    """Return a function that draws `Outcomes`: of 2 benchmarks with 12 problems, by default."""

    def draw(seed, shift=0.0, seeds=3, problems=12, samples=8, benchmarks=("a", "b"), noise=0):
        common = np.random.default_rng(seed)
        own = np.random.default_rng([seed, noise])
        size = problems * len(benchmarks)
        logits = shift + common.normal(0, 1, size) + own.normal(0, 0.2, (seeds, 1))
        uniform = common.random((seeds, size, samples))
        correct = uniform < (1 / (1 + np.exp(-logits)))[..., None]
        return Outcomes(correct, tuple(np.repeat(benchmarks, problems).tolist()))

    return draw
