"""The bounds of compound effects hold whenever the single intervals do (docs/claims.md)."""

from math import comb
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from maspo.reporting import claim_statistics as statistics
from maspo.reporting.study_data import AVERAGE

NAMES = ["maspo", "grpo", "sapo", "dac"]
means = st.lists(st.floats(0, 1), min_size=4, max_size=4)
widths = st.lists(st.floats(0, 0.5), min_size=32, max_size=32)


class Told:
    """A study whose true means and intervals are given; every interval holds the truth."""

    def __init__(self, truth, widths):
        self.truth = dict(zip(NAMES, truth, strict=True))
        self.widths = widths
        self.study = SimpleNamespace(name="main", variants=tuple(NAMES), seeds=3)
        self.variants = tuple(NAMES)
        self.samples = 8
        self.analysis = SimpleNamespace(statistics=SimpleNamespace(level=0.95), ours=("maspo",))
        self.levels = []

    def ours(self):
        return "maspo"

    def comparisons(self, pairs, level):
        self.levels.append(level)
        rows = []
        for i, (method, reference) in enumerate(pairs):
            true = self.truth[method] - self.truth[reference]
            below, above = self.widths[2 * i : 2 * i + 2]
            rows.append(
                {"method": method, "reference": reference, "benchmark": AVERAGE, "metric": "avg"}
                | {"difference": true, "low": true - below, "high": true + above}
                | {"p": 0.5, "p_holm": 0.5}
            )
        return pd.DataFrame(rows)


@settings(deadline=None, max_examples=50)
@given(means, widths, st.integers(1, 3))
def test_best_inside_is_bounded(truth, widths, inside):
    data = Told(truth, widths)
    found = statistics.BestInside(NAMES[:inside], "others", "avg").effect(data)
    wanted = max(truth[:inside]) - max(truth[inside:])
    assert found.value == pytest.approx(wanted)
    assert found.low <= wanted + 1e-12
    assert found.high >= wanted - 1e-12


@settings(deadline=None, max_examples=50)
@given(means, widths)
def test_largest_shift_is_bounded(truth, widths):
    found = statistics.LargestShift("maspo", "avg").effect(Told(truth, widths))
    wanted = max(abs(other - truth[0]) for other in truth[1:])
    assert found.value == pytest.approx(wanted)
    assert found.low <= wanted + 1e-12
    assert found.high >= wanted - 1e-12


def test_bounds_are_no_wider_than_they_have_to_be():
    data = Told([0.5, 0.4, 0.3, 0.2], [0.1] * 32)
    best = statistics.BestInside(["maspo"], "others", "avg").effect(data)
    assert (best.low, best.high) == pytest.approx((0.0, 0.2))
    shift = statistics.LargestShift("maspo", "avg").effect(data)
    assert (shift.low, shift.high) == pytest.approx((0.2, 0.4))


def test_levels_are_corrected_for_the_number_of_variants():
    data = Told([0.5, 0.4, 0.3, 0.2], [0.1] * 32)
    statistics.BestInside(["maspo"], "others", "avg").effect(data)
    assert data.levels == pytest.approx([0.95, 1 - 0.05 / 3])
    data.levels.clear()
    statistics.BestInside(["maspo", "grpo"], "others", "avg").effect(data)
    assert data.levels == pytest.approx([0.975, 0.975])
    data.levels.clear()
    statistics.LargestShift("maspo", "avg").effect(data)
    assert data.levels == pytest.approx([0.95, 1 - 0.05 / 3])


def beyond(runs, monkeypatch):
    """Return the pairs of collapse counts whose interval lies above 0."""
    data = Told([0.5] * 4, [0.1] * 32)
    data.study.seeds = runs
    pairs = []
    for reference in range(runs + 1):
        for method in range(runs + 1):
            counts = {"sapo": reference, "maspo": method}
            fell = {
                name: [SimpleNamespace(collapsed=i < count) for i in range(runs)]
                for name, count in counts.items()
            }
            monkeypatch.setattr(statistics, "fates", lambda _, name, fell=fell: fell[name])
            found = statistics.CollapseRate("maspo", "sapo").effect(data)
            assert found.low <= found.value <= found.high
            if found.low > 0:
                pairs.append((reference, method))
    return pairs


@pytest.mark.parametrize(("runs", "first"), [(2, []), (3, [(3, 0)]), (5, [(4, 0), (5, 0), (5, 1)])])
def test_collapse_rates_seldom_differ_by_chance(runs, first, monkeypatch):
    pairs = beyond(runs, monkeypatch)
    assert pairs == first
    chance = [
        sum(
            comb(runs, one) * comb(runs, two) * p ** (one + two) * (1 - p) ** (2 * runs - one - two)
            for one, two in pairs
        )
        for p in np.linspace(0.01, 0.99, 99)
    ]
    assert max(chance) <= 0.025
