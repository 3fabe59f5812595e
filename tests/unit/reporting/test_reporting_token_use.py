"""Counts by ratio: what a method does with tokens outside, and whether they come back."""

import json

import numpy as np
import pytest
from fabricate import STEPS, Skill, make_runs, study_data

from maspo.errors import DataError
from maspo.reporting.token_use import MOVES, USE, ratio_moves, ratio_use
from maspo.statistics import seed_mean

EDGES = [0.0, 1.0, 1.2, 2.0, 1e9]


def logged(layout, seed, tokens, moves):
    """Add counts by ratio to every step of a log, and moves to the steps that are named."""
    path = layout.run("grpo", seed) / "metrics.jsonl"
    rows = [json.loads(text) for text in path.read_text().splitlines()]
    for row in rows:
        weight = [1.0 * tokens[0], 1.0 * tokens[1], 0.5 * tokens[2], 0.0]
        use = {"edges": EDGES, "tokens": tokens, "nonzero": [*tokens[:3], 0], "weight": weight}
        row["ratio_use"] = use
        if row["step"] in moves:
            row["ratio_moves"] = moves[row["step"]]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def study(tmp_path, *seeds):
    """Return a study of one run for each (tokens, moves)."""
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=len(seeds))
    for seed, (tokens, moves) in enumerate(seeds, 1):
        logged(layout, seed, tokens, moves)
    return study_data(layout, ["grpo"], seeds=len(seeds))


def test_ratio_use_has_shares_with_intervals_over_seeds(tmp_path):
    data = study(tmp_path, ([50, 30, 20, 0], {}), ([50, 40, 10, 0], {}))
    table = ratio_use(data)
    assert list(table.bin_low) == EDGES[:-1]
    assert list(table.tokens) == [100 * STEPS, 70 * STEPS, 30 * STEPS, 0]
    assert list(table.share) == pytest.approx([0.5, 0.35, 0.15, 0])
    _, low, high = seed_mean(np.array([0.2, 0.1]), 0.95)
    assert low < 0 < high < 1
    assert table.share_low[2] == 0  # no share is below 0
    assert table.share_high[2] == pytest.approx(high)
    assert list(table.mean_weight[:3]) == [1, 1, 0.5]
    assert np.isnan(table.mean_weight[3])
    assert np.isnan(table.nonzero_fraction[3])


def test_moves_say_where_the_tokens_of_a_bin_went(tmp_path):
    moves = [[9, 0, 1, 0], [2, 5, 2, 1], [1, 3, 5, 1], [1, 0, 2, 1]]
    table = ratio_moves(study(tmp_path, ([1, 1, 1, 1], {5: moves}))).set_index("bin_low")
    assert set(table.step) == {5}
    assert list(table.tokens) == [10, 10, 10, 4]
    assert list(table.share) == pytest.approx([10 / 34, 10 / 34, 10 / 34, 4 / 34])
    ways = ["further", "same", "nearer", "back", "beyond"]
    assert list(table.loc[0.0, ways]) == pytest.approx([0.1, 0.9, 0, 0, 0.1])
    assert list(table.loc[1.0, ways]) == pytest.approx([0.3, 0.5, 0, 0.2, 0.3])
    assert list(table.loc[1.2, ways]) == pytest.approx([0.1, 0.5, 0, 0.4, 0.6])
    assert list(table.loc[2.0, ways]) == pytest.approx([0, 0.25, 0.5, 0.25, 0.75])
    assert table.back_low.isna().all()  # one seed


def test_moves_are_means_over_the_seeds_that_have_tokens(tmp_path):
    none = np.zeros((4, 4), int)
    first, second = none.copy(), none.copy()
    first[2] = [0, 1, 1, 0]
    second[2], second[3] = [0, 4, 0, 0], [0, 0, 0, 6]
    counts = [1, 1, 1, 1]
    data = study(tmp_path, (counts, {5: first.tolist()}), (counts, {5: second.tolist()}))
    table = ratio_moves(data).set_index("bin_low")
    assert table.tokens.to_dict() == {0.0: 0, 1.0: 0, 1.2: 6, 2.0: 6}
    assert table.back[1.2] == pytest.approx((0.5 + 1) / 2)
    assert table.share[1.2] == pytest.approx((1 + 0.4) / 2)
    assert table.same[2.0] == 1
    assert np.isnan(table.back[0.0])


def test_logs_without_ratios_leave_the_tables_empty(tmp_path):
    data = study_data(make_runs(tmp_path, {"grpo": Skill()}, seeds=1), ["grpo"], seeds=1)
    assert ratio_use(data).empty
    assert list(ratio_use(data)) == USE
    assert ratio_moves(data).empty
    assert list(ratio_moves(data)) == MOVES


def test_seeds_of_other_snapshots_are_refused(tmp_path):
    moves = np.ones((4, 4)).tolist()
    data = study(tmp_path, ([1, 1, 1, 1], {5: moves}), ([1, 1, 1, 1], {6: moves}))
    with pytest.raises(DataError, match="ratio_moves at other steps"):
        ratio_moves(data)
