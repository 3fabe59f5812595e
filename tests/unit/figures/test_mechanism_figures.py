"""Ratios, ways through training and facts: what is drawn are the numbers of the tables."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from figures_data import STUDIES
from mechanism_data import BINS, RATIOS, facts, ratio_moves, ratio_use, snapshots

LABELS = {"grpo": "GRPO", "maspo": "MASPO"}
MANY = {f"maspo_alpha_{i / 20}": f"MASPO, alpha {i / 20}" for i in range(15)}
MAKERS = {
    "ratio_use": (ratio_use, ratio_moves),
    "training_path": (snapshots,),
    "facts": (facts,),
}


def ticks(axis):
    return [label.get_text() for label in axis.get_xticklabels()]


def test_ratio_use_draws_weights_and_shares(script):
    use = ratio_use(LABELS)
    figure = script("ratio_use").draw(use, ratio_moves(LABELS))
    weights, shares, beyond, _ = figure.axes
    for i, variant in enumerate(LABELS):
        rows = use[use.variant == variant]
        assert np.allclose(weights.lines[i].get_ydata(), rows.mean_weight, equal_nan=True)
        assert np.allclose(shares.lines[i].get_ydata(), 100 * rows.share[rows.share > 0])
    assert ticks(weights)[:2] == ["0", "0.1"]
    assert ticks(weights)[-2:] == ["100", "\N{INFINITY}"]
    clips = [line.get_xdata()[0] for line in weights.lines[len(LABELS) :]]
    assert [ticks(weights)[place] for place in clips] == ["1.2", "1.28"]
    drawn = dict(zip(beyond.lines[0].get_xdata() // 1, beyond.lines[0].get_ydata(), strict=True))
    assert drawn[RATIOS.index(1.2)] == pytest.approx(50)  # half of GRPO's come back
    assert drawn[RATIOS.index(0.99)] == pytest.approx(2)


def test_bars_say_where_the_tokens_beyond_the_clip_went(script):
    moves = ratio_moves(LABELS, steps=(5, 15))
    moves.loc[(moves.step == 15) & (moves.variant == "grpo"), "tokens"] *= 3
    changed = {"back": 0.1, "same": 0.6}
    moves.loc[(moves.step == 15) & (moves.variant == "grpo"), list(changed)] = changed.values()
    figure = script("ratio_use").draw(ratio_use(LABELS), moves)
    bars = figure.axes[3].patches
    widths = [bar.get_width() for bar in bars]
    assert widths[:4] == pytest.approx([0.25 * 50 + 0.75 * 10, 10, 0.25 * 20 + 0.75 * 60, 20])
    assert widths[4:] == pytest.approx([25, 10, 45, 20])
    tokens = moves[(moves.bin_low >= 1.2) & (moves.variant == "grpo")].tokens.sum()
    assert figure.axes[3].texts[0].get_text() == f"of {tokens}"


def test_ratios_without_moves_are_one_row_of_panels(draw, script, tmp_path):
    """As at scales that keep no policies on the way, whose table has a header alone."""
    moves = ratio_moves(LABELS).iloc[:0]
    assert len(script("ratio_use").draw(ratio_use(LABELS), moves).axes) == 2
    ratio_use(LABELS).to_csv(tmp_path / "main_ratio_use.csv", index=False)
    moves.to_csv(tmp_path / "main_ratio_moves.csv", index=False)
    draw("ratio_use", tmp_path, tmp_path / "out")
    assert (tmp_path / "out" / "ratio_use.png").is_file()


def test_a_way_leads_from_the_base_policy_to_the_end(script):
    table = snapshots(LABELS)
    figure = script("training_path").draw(table.sample(frac=1, random_state=0))
    for axis, column in zip(figure.axes, ("avg_at_k", "pass_at_k"), strict=True):
        rows = table[table.variant == "grpo"]
        way = axis.lines[0]
        lines = [line for line in axis.lines if len(line.get_xdata()) == len(rows)]
        assert len(lines) == len(LABELS)
        shown = {tuple(np.round(line.get_xdata(), 9)) for line in lines}
        assert tuple(np.round(rows.entropy, 9)) in shown
        (way,) = (line for line in lines if to_hex(line.get_color()) == "#000000")
        assert np.allclose(way.get_ydata(), 100 * rows[column])
        ends = [line for line in axis.lines if line.get_marker() == "o"]
        assert ends[0].get_ydata()[0] == pytest.approx(100 * rows[column].iloc[-1])
        (base,) = (line for line in axis.lines if line.get_marker() == "x")
        assert base.get_xdata()[0] == pytest.approx(0.4)
        assert 0 <= axis.get_xlim()[0] < axis.get_xlim()[1]
        assert 0 <= axis.get_ylim()[0] < axis.get_ylim()[1] <= 100
    assert [axis.get_title(loc="left") for axis in figure.axes] == [
        "Avg@32 (%); intervals at the ends about \N{PLUS-MINUS SIGN}6",
        "Pass@32 (%); intervals at the ends about \N{PLUS-MINUS SIGN}7",
    ]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["GRPO", "MASPO", "Base policy", "after steps 5, 15, 30"]


def test_facts_draws_accuracies_by_bin(script):
    figure = script("facts").draw(facts(LABELS))
    met, held_out = figure.axes[:2]
    bins = [name for name, (count, _, _) in BINS.items() if count and name != "attempted"]
    assert [text.replace("\N{NO-BREAK SPACE}", " ").split("\n(")[0] for text in ticks(met)] == [
        "never\nright",
        "below\n10 %",
        "10 to\n50 %",
        "50 to\n90 %",
        "90 % and\nabove",
    ]
    assert ticks(met)[2].endswith("(60)")
    for axis, factor in ((met, None), (held_out, 0.9)):
        values = [BINS[name][2] if factor is None else factor * BINS[name][1] for name in bins]
        assert list(axis.lines[0].get_ydata()) == pytest.approx([100 * value for value in values])
        (lines,) = (c for c in axis.collections if len(c.get_segments()) == 5 and dashed(c))
        heights = [segment[0, 1] for segment in lines.get_segments()]
        assert heights == pytest.approx([100 * BINS[name][1] for name in bins])


def dashed(collection):
    return collection.get_linestyle()[0][1] is not None


def test_facts_counts_what_was_gained_and_lost(script):
    figure = script("facts").draw(facts(LABELS))
    gained, found = figure.axes[2:]
    # For each variant: met and held out, and of each to the right and to the left.
    widths = [bar.get_width() for bar in gained.patches]
    assert widths == pytest.approx([77, -1, 6, -17, 76, -1, 7, -17])
    assert [bar.get_width() for bar in found.patches][:4] == pytest.approx([3, -2, 3.5, -2])
    assert to_hex(gained.patches[2].get_facecolor()) == "#ffffff"
    assert to_hex(gained.patches[2].get_edgecolor()) == "#000000"
    assert [text.get_text() for text in gained.get_yticklabels()] == list(LABELS.values())
    start, end = gained.get_xlim()
    assert start < -17
    assert end > 77


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("labels", [MANY, STUDIES["learning_rate"], {"grpo": "GRPO"}])
def test_many_variants_and_one_seed_are_drawn(name, labels, script):
    tables = [make(labels) for make in MAKERS[name]]
    for table in tables:
        ends = [column for column in table if column.endswith(("_low", "_high"))]
        table[[end for end in ends if not end.startswith("bin")]] = np.nan
    figure = script(name).draw(*tables)
    figure.draw_without_rendering()
    shown = {text.get_text() for text in figure.legends[0].get_texts()}
    assert set(labels.values()) <= shown
    width, height = figure.get_size_inches()
    assert width <= 10
    assert height < 11


def test_the_tables_have_the_columns_that_the_package_writes():
    """Or the figures would be tested on tables of their own."""
    from maspo.reporting.facts import FACTS
    from maspo.reporting.snapshots import SNAPSHOTS
    from maspo.reporting.token_use import MOVES, USE

    for make, columns in ((ratio_use, USE), (ratio_moves, MOVES), (facts, FACTS)):
        assert set(make(LABELS)) == set(columns), make
    assert set(snapshots(LABELS)) == set(SNAPSHOTS)
    assert isinstance(facts(LABELS), pd.DataFrame)
