"""How often scores are called negligibly different, by simulation: seldom if the truth is not."""

import numpy as np
import pytest
from simulation import MIXES, SPREAD, Studies, cells, truth

from maspo.reporting.claim_statistics import Effect
from maspo.reporting.ruling import Ruling, judge
from maspo.statistics.bootstrap import deviations, half_widths
from maspo.statistics.intervals import means

pytestmark = pytest.mark.slow  # simulations

STUDIES = 1000
NOISE = 0.01  # about 1.5 standard errors of a simulated share of 5 %


def difference(mix, shift):
    """Return the true difference in Avg@32 of two methods that are `shift` logits apart."""
    return (truth(np.add(SPREAD, shift), mix, 1) - truth(SPREAD, mix, 1))[-1]


def called_negligible(seeds, mix, shift, margin, settings, narrow=1.0):
    """Return how often two methods, `shift` logits apart, are called negligibly different."""
    studies = Studies(STUDIES, seeds, mix)
    reference, method = studies.paired_counts(shift)
    values = cells(method, 1) - cells(reference, 1)
    centres = means(values, studies.benchmarks)[-1]
    draws = deviations(values, studies.benchmarks, settings, lowest=-1.0)
    halves = narrow * half_widths(draws, settings)[-1]
    found = [
        judge(Effect("x", c, c - half, c + half, "fraction", seeds), 0.0, None, margin)
        for c, half in zip(centres, halves, strict=True)
    ]
    return np.mean([ruling is Ruling.NEGLIGIBLE for ruling in found])


# Margins of about one to four half-widths, where a wrong verdict is likeliest.
DESIGNS = [
    (2, "problems", 0.1),
    (2, "all", 0.3),
    (3, "problems", 0.05),
    (3, "problems", 0.1),
    (3, "all", 0.3),
    (5, "problems", 0.05),
    (5, "all", 0.2),
    (5, "seeds", 0.3),
]


@pytest.mark.parametrize(("seeds", "mix", "shift"), DESIGNS)
def test_a_difference_as_large_as_the_margin_is_seldom_negligible(seeds, mix, shift, settings):
    mix = MIXES[mix]
    margin = difference(mix, shift)
    wrong = called_negligible(seeds, mix, shift, margin, settings)
    assert wrong <= 0.05 + NOISE
    assert called_negligible(seeds, mix, 0.0, margin, settings) > 1.5 * wrong


@pytest.mark.parametrize(("seeds", "shift", "often"), [(3, 0.3, 0.85), (5, 0.2, 0.9)])
def test_equal_methods_are_called_so_if_the_runs_suffice(seeds, shift, often, settings):
    mix = MIXES["problems"]
    assert called_negligible(seeds, mix, 0.0, difference(mix, shift), settings) > often


def test_the_simulation_notices_intervals_that_are_too_narrow(settings):
    mix = MIXES["problems"]
    wrong = called_negligible(5, mix, 0.05, difference(mix, 0.05), settings, narrow=0.5)
    assert wrong > 0.05 + 2 * NOISE
