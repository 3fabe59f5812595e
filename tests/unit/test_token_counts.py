"""Which tokens a method learns from, and how far it lets them move: counted by hand."""

import math

import pytest
import torch

from maspo.training.token_counts import (
    PROBABILITIES,
    RATIOS,
    as_metric,
    bins_of,
    counts,
    moves,
    outward_ratio,
)

EDGES = (0.0, 0.5, 0.9, 1.0)


def test_counts_of_known_tokens():
    """Two tokens below 0.5, three up to 0.9 (its lower edge 0.5 with them), one above."""
    values = torch.tensor([[0.1, 0.5, 0.9], [0.49, 0.7, 0.89], [0.2, 0.6, 0.99]])
    weight = torch.tensor([[1.0, 0.0, 0.5], [0.25, 2.0, 1.0], [9.0, 9.0, 9.0]])
    chosen = torch.tensor([[True] * 3, [True] * 3, [False] * 3])
    found = counts(values, EDGES, weight, chosen)
    assert found.dtype == torch.float64
    assert found.tolist() == [[2, 3, 1], [2, 2, 1], [1.25, 3.0, 0.5]]


def test_nothing_chosen_is_counted_as_nothing():
    none = torch.zeros(2, 2, dtype=torch.bool)
    found = counts(torch.rand(2, 2), EDGES, torch.ones(2, 2), none)
    assert found.tolist() == [[0.0] * 3] * 3


def test_a_bin_holds_its_lower_edge_and_the_last_ones_hold_all_beyond():
    values = torch.tensor([0.0, 0.8, 1.0, 1.2, 1.28, 100.0, 1e9, math.inf])
    assert [RATIOS[i] for i in bins_of(values, RATIOS)] == [0.0, 0.8, 0.99, 1.2, 1.28] + [100.0] * 3
    assert bins_of(torch.tensor([0.0, 1.0]), PROBABILITIES).tolist() == [0, 11]


def test_a_metric_is_the_sum_over_the_updates():
    one = counts(torch.tensor([0.1]), EDGES, torch.tensor([0.5]), torch.tensor([True]))
    two = counts(torch.tensor([0.95]), EDGES, torch.tensor([0.0]), torch.tensor([True]))
    assert as_metric([one, one, two], EDGES) == {
        "edges": [0.0, 0.5, 0.9, 1.0],
        "tokens": [2, 0, 1],
        "nonzero": [2, 0, 0],
        "weight": [1.0, 0.0, 0.0],
    }


def test_the_outward_ratio_is_above_1_where_a_token_went_as_it_was_pulled():
    """Twice as probable: 2 if that was wanted, 1/2 if not; 1 without an advantage."""
    old = torch.full((3, 2), math.log(0.2))
    log_prob = torch.tensor([[0.4, 0.1]] * 3).log().requires_grad_()
    advantages = torch.tensor([[0.3, 0.3], [-2.0, -2.0], [0.0, 0.0]])
    found = outward_ratio(log_prob, old, advantages)
    assert torch.allclose(found, torch.tensor([[2.0, 0.5], [0.5, 2.0], [1.0, 1.0]]))
    assert not found.requires_grad


def test_an_outward_ratio_is_always_a_number():
    """A token that became impossible moved by 20 nats, far into the last bin."""
    log_prob, old = torch.tensor([[-1e4, 0.0]]), torch.tensor([[-1.0, -1e4]])
    found = outward_ratio(log_prob, old, torch.tensor([[-1.0, -1.0]]))
    assert found[0].tolist() == pytest.approx([math.exp(20), math.exp(-20)])
    assert bins_of(found[0], RATIOS).tolist() == [len(RATIOS) - 2, 0]


def test_moves_count_each_token_once_by_then_and_later():
    before = torch.tensor([1.0, 1.0, 1.3, 0.95])
    after = torch.tensor([1.0, 1.25, 3.0, 0.05])
    found = moves(before, after)
    assert found.shape == (len(RATIOS) - 1, len(RATIOS) - 1)
    bins = [RATIOS.index(edge) for edge in (0.99, 1.28, 0.9, 1.2, 2.0, 0.0)]
    near, clipped, inward, beyond, far, gone = bins
    expected = torch.zeros_like(found)
    for then, later in ((near, near), (near, beyond), (clipped, far), (inward, gone)):
        expected[then, later] += 1
    assert torch.equal(found, expected)
    assert (
        found.sum(1).tolist()
        == torch.bincount(bins_of(before, RATIOS), minlength=len(RATIOS) - 1).tolist()
    )
    assert torch.equal(moves(before[:0], after[:0]), torch.zeros_like(found))
