"""Several looks at paired differences: one error rate for all of them together."""

import numpy as np
import pytest
from scipy.stats import t

from maspo.errors import ConfigError
from maspo.statistics.sequential import LOOKS, Look, error_of_a_look, look


def test_one_look_is_the_usual_interval():
    values = [0.01, 0.03, -0.02, 0.05, 0.02]
    seen = look(values, looks=(5,))
    half = t.ppf(0.975, 4) * np.std(values, ddof=1) / np.sqrt(5)
    assert error_of_a_look((5,)) == pytest.approx(0.05, abs=0.002)
    assert seen.mean == pytest.approx(np.mean(values))
    assert seen.high - seen.mean == pytest.approx(half, rel=0.02)
    assert seen.mean - seen.low == pytest.approx(seen.high - seen.mean)


@pytest.mark.parametrize("mean", [0.0, 3.0])
@pytest.mark.slow
def test_all_intervals_hold_the_truth_in_95_of_100_studies(mean):
    """Simulated by other draws than those that set the error of a look."""
    rng, studies = np.random.default_rng(7), 4000
    missed = 0
    for _ in range(studies):
        values = mean + 1.6 * rng.standard_normal(LOOKS[-1])
        seen = [look(values[:pairs]) for pairs in LOOKS]
        missed += any(not x.low <= mean <= x.high for x in seen)
    assert abs(missed / studies - 0.05) < 0.012  # 3.5 standard errors


def test_naive_looks_would_err_more_often():
    assert error_of_a_look(LOOKS) < 0.02 < error_of_a_look((4, 8)) < 0.05


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (0.5, 3.0, "better"),
        (-3.0, -0.5, "worse"),
        (-0.9, 0.9, "negligible"),
        (0.2, 0.9, "negligible"),  # there, and too small to matter
        (-0.5, 1.5, "open"),
        (-2.0, 0.5, "open"),
    ],
)
def test_verdicts(low, high, verdict):
    assert Look(5, (low + high) / 2, low, high).verdict(1.0) == verdict


def test_equal_pairs_have_no_width():
    assert look([0.0] * 3) == Look(3, 0.0, 0.0, 0.0)


def test_looks_that_were_not_planned_are_refused():
    with pytest.raises(ConfigError, match="5 pairs: the looks are planned at"):
        look([0.1] * 5)
    for looks in ((1, 2), (4, 3), (3, 3)):
        with pytest.raises(ConfigError, match="must rise"):
            error_of_a_look(looks)
