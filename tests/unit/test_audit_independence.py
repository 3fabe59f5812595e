"""Honest seeds agree as chance has it, however sure they are; copies of a part do not."""

import numpy as np
import pytest

from maspo.audit.groups import group_faults
from maspo.audit.independence import DEVIATIONS, agreement

PROBLEMS, SAMPLES = 60, 32


def draw(rng, sure):
    """Return texts of which each problem's first has probability `sure`, the rest share."""
    texts = np.where(
        rng.random((PROBLEMS, SAMPLES)) < sure, 0, rng.integers(1, 5, (PROBLEMS, SAMPLES))
    )
    return texts + 5 * np.arange(PROBLEMS)[:, None]


@pytest.mark.parametrize("sure", [0.2, 0.9, 0.99, 1.0])
def test_independent_seeds_agree_by_chance(sure):
    rng = np.random.default_rng(1)
    found = [agreement(draw(rng, sure), draw(rng, sure)) for _ in range(200)]
    assert max(found) < DEVIATIONS / 2


@pytest.mark.parametrize(("sure", "kept"), [(0.2, 0.5), (0.9, 0.5), (0.99, 1.0)])
def test_a_copy_agrees_beyond_chance(sure, kept):
    rng = np.random.default_rng(1)
    one = draw(rng, sure)
    other = np.where(rng.random(one.shape) < kept, one, draw(rng, sure))
    assert agreement(one, other) > DEVIATIONS


def log(right, uniform, moved, norm=1.0, tokens=160):
    """Return a row of a log of 4 groups of 4 completions."""
    return {
        **{"reward": right / 16, "uniform_groups": uniform, "gradient_norm": norm},
        **{"tokens": tokens, "error": 0, "gradient_use": {"tokens": [moved]}},
    }


@pytest.mark.parametrize(
    "row",
    [
        log(0, 4, 0, norm=0.0),  # all wrong
        log(16, 4, 0, norm=0.0),  # all right
        log(8, 4, 0, norm=0.0),  # two groups right, two wrong
        log(5, 2, 80),  # one group right, two wrong would be 4 + 1 + ... of two mixed ones
        log(12, 0, 160),
        log(1, 3, 4),  # the least tokens
        log(1, 3, 40),  # the most: 10 each
    ],
)
def test_possible_groups(row):
    assert list(group_faults(row, 4, 4, 10)) == []


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (log(7.5, 2, 80), "share of 16"),
        (log(3, 0, 160), "uniform groups"),  # four mixed groups have at least 4 right
        (log(13, 0, 160), "uniform groups"),  # and at most 12
        (log(6, 4, 0, norm=0.0), "uniform groups"),  # no multiple of 4
        (log(1, 3, 3), "tokens with an advantage"),
        (log(1, 3, 41), "tokens with an advantage"),
        (log(8, 4, 1, norm=0.0), "tokens with an advantage"),
        (log(5, 2, 100, tokens=107), "tokens with an advantage"),  # 8 others have one each
        (log(8, 4, 0), "no gradient"),
    ],
)
def test_impossible_groups(row, told):
    (fault,) = group_faults(row, 4, 4, 10)
    assert told in fault[0]


def test_partial_credit_gives_rewards_between_shares_and_groups_still_bound_tokens():
    assert list(group_faults(log(7.5, 2, 80), 4, 4, 10, partial=True)) == []
    (fault,) = group_faults(log(7.5, 2, 81), 4, 4, 10, partial=True)
    assert "tokens with an advantage" in fault[0]


def test_the_expected_agreement_is_that_of_shuffled_samples():
    rng = np.random.default_rng(2)
    one, other = draw(rng, 0.5), draw(rng, 0.5)
    matches = [(one == rng.permuted(other, axis=1)).sum() for _ in range(2000)]
    found = (one == other).sum()
    expected = (found - np.mean(matches)) / np.std(matches)
    assert agreement(one, other) == pytest.approx(expected, abs=0.15)
