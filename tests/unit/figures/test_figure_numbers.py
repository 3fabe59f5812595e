"""What is drawn are the numbers of the tables."""

import math

import numpy as np
import pandas as pd
import pytest


@pytest.fixture(params=["alike", "collapsed"])
def tables(request):
    return request.getfixturevalue(request.param)


def read(tables, name):
    return pd.read_csv(tables / f"{name}.csv")


def texts(axis):
    return [text.get_text() for text in axis.texts]


def dots(axis):
    """Return the (x, y) of every single marker of an axis."""
    lines = [line for line in axis.lines if line.get_linestyle() == "None"]
    return {(line.get_xdata()[0], line.get_ydata()[0]) for line in lines if len(line.get_xdata())}


def test_avg_at_k_draws_every_mean_or_its_number(tables, script):
    means = read(tables, "main")
    figure = script("avg_at_k").draw(means, read(tables, "main_runs"))
    panels = {axis.get_title(loc="left"): axis for axis in figure.axes if axis.get_visible()}
    assert next(iter(panels)) == "average"
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == list(means.label.unique())
    for benchmark, axis in panels.items():
        rows = means[means.benchmark == benchmark]
        start, end = axis.get_xlim()
        for position, value in enumerate(100 * rows.avg_at_k):
            if start <= value <= end:
                assert any(y == position and x == pytest.approx(value) for x, y in dots(axis)), (
                    benchmark
                )
            else:
                assert f"{value:.1f}" in texts(axis)
        drawn = (100 * rows.avg_at_k).between(start, end).sum()
        assert drawn >= len(rows) - 2  # the base policy and the one that collapsed


def test_close_methods_get_an_axis_of_their_own_width(alike, script):
    """Seven methods within a few tenths of a point must not lie on top of each other."""
    figure = script("avg_at_k").draw(read(alike, "main"), read(alike, "main_runs"))
    start, end = figure.axes[0].get_xlim()
    assert end - start < 5


@pytest.mark.parametrize(
    ("values", "outside"),
    [
        ([80.0, 80.1, 80.2, 80.3, 35.0], {35.0}),
        ([80.0, 80.1, 80.2, 80.3, 81.0], set()),
        ([46.0, 80.0], set()),
        ([80.0, 80.0, 80.0, 80.0, 20.0], {20.0}),
        ([0.0, 0.0, 0.0], set()),
        ([80.0, math.nan, 80.2], set()),
    ],
)
def test_focus_leaves_out_only_what_would_flatten_the_rest(values, outside, script):
    values = np.array(values)
    rows = pd.DataFrame({"value": values, "low": values - 0.2, "high": values + 0.2})
    start, end = script("intervals").focus(rows)
    assert {v for v in values if v < start or v > end} == outside
    kept = rows[~rows.value.isin(list(outside))].dropna()
    assert start < kept.low.min()
    assert kept.high.max() < end


def test_an_axis_ends_where_values_end(script):
    rows = pd.DataFrame({"value": [2.0, 90.0], "low": [-40.0, 50.0], "high": [44.0, 130.0]})
    assert script("intervals").focus(rows, (0, 100)) == (0, 100)
    start, end = script("intervals").focus(rows)
    assert start < -40
    assert end > 130


def test_focus_without_bounds(script):
    rows = pd.DataFrame({"value": [0.5], "low": [math.nan], "high": [math.nan]})
    start, end = script("intervals").focus(rows)
    assert start < 0.5 < end


def test_pass_at_k_keeps_the_two_estimators_apart(tables, script):
    table = read(tables, "main_at_k")
    figure = script("pass_at_k").draw(table)
    axis = figure.axes[0]
    assert axis.get_xscale() == "log"
    rows = table[(table.benchmark == "average") & (table.variant == "maspo")].sort_values("k")
    for metric, solid in (("pass", True), ("best", False)):
        values = 100 * rows.value[rows.metric == metric].to_numpy()
        (line,) = (x for x in axis.lines if np.allclose(x.get_ydata(), values))
        assert (line.get_linestyle() == "-") is solid
        assert list(line.get_xdata()) == [1, 2, 4, 8, 16, 32]
    names = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert {"Pass@k, unbiased", "best@k, with replacement", "MASPO"} <= set(names)


def test_pass_at_k_draws_differences_to_the_first_trained_variant(alike, script):
    table = read(alike, "main_at_k")
    axis = script("pass_at_k").draw(table).axes[1]
    rows = table[(table.benchmark == "average") & (table.metric == "pass")]
    rows = rows.pivot(index="k", columns="variant", values="value")
    expected = 100 * (rows.maspo - rows.grpo)
    assert any(
        len(line.get_ydata()) == 6 and np.allclose(line.get_ydata(), expected)
        for line in axis.lines
    )
    assert axis.get_title(loc="left").replace("\n", " ") == "Pass@k minus that of GRPO (points)"


def test_training_dynamics_stay_inside_what_is_possible(alike, script):
    dynamics = read(alike, "main_dynamics")
    dynamics = dynamics.assign(low=dynamics["mean"] - 5, high=dynamics["mean"] + 5)
    figure = script("training_dynamics").draw(dynamics)
    curves, ends = figure.axes[:2]
    assert curves.get_title(loc="left") == "Reward"
    for band in curves.collections:
        heights = band.get_paths()[0].vertices[:, 1]
        assert 0 <= heights.min() <= heights.max() <= 1
    bars = [path.vertices[:, 1] for bar in ends.collections for path in bar.get_paths()]
    assert 0 <= np.min(bars) <= np.max(bars) <= 1


def test_training_dynamics_average_over_neighbouring_steps(tables, script):
    dynamics = read(tables, "main_dynamics")
    figure = script("training_dynamics").draw(dynamics)
    reward = dynamics[(dynamics.metric == "reward") & (dynamics.variant == "grpo")]
    line = figure.axes[0].lines[0]
    values = reward["mean"].to_numpy()
    assert len(line.get_ydata()) == 100
    assert line.get_ydata()[50] == pytest.approx(values[48:53].mean())
    assert line.get_ydata()[0] == pytest.approx(values[:3].mean())
    ends = script("reading").ending(dynamics, "reward")
    assert ends.value["grpo"] == pytest.approx(values[90:].mean())
    assert ends.low["grpo"] == pytest.approx(reward.low[90:].mean())


def test_one_step_is_no_average(script):
    steps = pd.DataFrame({"step": [1, 2, 3], "metric": "reward", "variant": "x"})
    steps = steps.assign(mean=[0.1, 0.2, 0.3], low=math.nan, high=math.nan)
    reading = script("reading")
    assert reading.window(steps) == 1
    assert list(reading.curve(steps, "x", "reward")["mean"]) == [0.1, 0.2, 0.3]
    assert reading.ending(steps, "reward").value["x"] == 0.3


@pytest.mark.parametrize("name", ["training_dynamics", "sample_efficiency"])
def test_one_seed_has_curves_without_bands(name, alike, script):
    dynamics = read(alike, "main_dynamics").assign(low=math.nan, high=math.nan)
    efficiency = read(alike, "main_efficiency")
    tables = [dynamics, efficiency[efficiency.seed == 1]]
    figure = script(name).draw(*tables[: 1 if name == "training_dynamics" else 2])
    figure.draw_without_rendering()
    assert len(figure.axes[0].lines) >= 7


@pytest.mark.parametrize(
    ("variant", "factor", "value"),
    [
        ("maspo", "alpha", 0.3),
        ("maspo", "beta", 0.03),
        ("maspo_no_mass", "alpha", 0.0),
        ("maspo_no_risk", "beta", 0.0),
        ("maspo_alpha_0.5", "alpha", 0.5),
        ("maspo_beta_1e-3", "beta", 0.001),
        ("maspo_alpha_0.5", "beta", None),
        ("grpo", "alpha", None),
        ("maspo_alpha_0.5@lr_1e-4", "alpha", None),
    ],
)
def test_the_value_in_a_variants_name(variant, factor, value, script):
    assert script("variants").value_of(variant, factor) == value


def test_the_values_of_named_variants_are_those_of_the_configuration(script):
    from maspo.config import objective_settings

    fields = {"alpha": ["alpha"], "beta": ["beta_high", "beta_low"]}
    for factor, named in script("variants").NAMED.items():
        for variant, value in named.items():
            settings = objective_settings(variant)
            assert [settings[field] for field in fields[factor]] == [value] * len(fields[factor])


@pytest.mark.parametrize(("factor", "shaded"), [("alpha", (0.3, 0.5)), ("beta", (0.025, 0.036))])
def test_sensitivity_is_drawn_over_the_value(factor, shaded, tables, script):
    means, dynamics = read(tables, factor), read(tables, f"{factor}_dynamics")
    figure = script("sensitivity").draw(means, dynamics, 32, factor)
    axis = figure.axes[0]
    rows = means[(means.benchmark == "average") & (means.variant != "base")]
    values = [script("variants").value_of(variant, factor) for variant in rows.variant]
    shown = dict(zip(axis.lines[0].get_xdata(), axis.lines[0].get_ydata(), strict=True))
    for value, score in zip(values, 100 * rows.avg_at_k, strict=True):
        if math.isnan(shown[value]):
            assert f"{score:.1f}" in texts(axis)
        else:
            assert shown[value] == pytest.approx(score)
    (span,) = axis.patches
    assert (span.get_x(), span.get_x() + span.get_width()) == pytest.approx(shaded)


def test_differences_name_a_pair_and_say_once_what_both_sides_share(script):
    rows = pd.DataFrame(
        [
            ("MASPO", "GRPO"),
            ("MASPO, lr 4e-4, constant rate", "GRPO, lr 4e-4, constant rate"),
            ("SAPO, lr 2e-4, constant rate", "GRPO, constant rate"),
        ],
        columns=["method_label", "reference_label"],
    )
    assert script("differences").names_of(rows) == [
        "MASPO − GRPO",
        "MASPO − GRPO, lr 4e-4, constant rate",
        "SAPO, lr 2e-4 − GRPO, constant rate",
    ]


def test_differences_are_drawn_in_points(tables, script):
    pairs = read(tables, "ablation_comparisons")
    figure = script("differences").draw(pairs)
    for axis, metric in zip(figure.axes, ("avg", "pass"), strict=True):
        rows = pairs[(pairs.benchmark == "average") & (pairs.metric == metric)]
        start, end = axis.get_xlim()
        assert start < 0 < end
        for position, value in enumerate(100 * rows.difference):
            if start <= value <= end:
                assert any(y == position and x == pytest.approx(value) for x, y in dots(axis))
            else:
                assert f"{value:.1f}".replace("-", "−") in texts(axis)
        assert sum(text.startswith("p ") for text in texts(axis)) == len(rows)


def test_a_small_p_value_is_bold(alike, script):
    pairs = read(alike, "main_comparisons").assign(p_holm=[0.04, 0.06] * 42)
    axis = script("differences").draw(pairs).axes[0]
    assert {t.get_text(): t.get_weight() for t in axis.texts if t.get_text()[0] == "p"} == {
        "p = 0.040": "bold"
    }


def test_a_study_of_one_method_has_a_figure_without_rows(alike, script):
    figure = script("differences").draw(read(alike, "main_comparisons").iloc[:0])
    figure.draw_without_rendering()
    assert not dots(figure.axes[0])


def test_sample_efficiency(script):
    table = pd.DataFrame(
        {
            "variant": ["grpo", "grpo", "maspo", "maspo"],
            "label": ["GRPO", "GRPO", "MASPO", "MASPO"],
            "seed": [1, 2, 1, 2],
            "area": [0.5, 0.7, 0.8, 0.8],
            "area_low": [0.4, 0.4, None, None],
            "area_high": [0.9, 0.9, None, None],
            "steps_to_0.8": [40, None, 20, 30],
            "steps_to_0.6": [10, 20, 5, 7],
        }
    )
    module = script("sample_efficiency")
    assert module.thresholds(table) == {0.6: "steps_to_0.6", 0.8: "steps_to_0.8"}
    assert module.areas(table).loc["grpo"].tolist() == pytest.approx([0.6, 0.4, 0.9])
    assert module.areas(table).loc["maspo"].tolist() == pytest.approx([0.8, 0.8, 0.8])
    dynamics = pd.DataFrame(
        [
            (variant, variant.upper(), step, "reward", step / 50, math.nan, math.nan)
            for variant in ("grpo", "maspo")
            for step in range(1, 51)
        ],
        columns=["variant", "label", "step", "metric", "mean", "low", "high"],
    )
    curves, steps, _ = module.draw(dynamics, table).axes
    assert {(15, 0.6), (6, 0.6), (25, 0.8)} == dots(curves)  # not GRPO at 0.8: a seed never did
    assert texts(steps) == ["1 of 2 seeds"]


def test_entropy_accuracy_takes_the_end_of_training(tables, script):
    means, dynamics = read(tables, "main"), read(tables, "main_dynamics")
    entropy, accuracy = script("entropy_accuracy").ends(means, dynamics)
    late = dynamics[(dynamics.metric == "entropy") & (dynamics.step > 90)]
    assert entropy.value["maspo"] == pytest.approx(late["mean"][late.variant == "maspo"].mean())
    row = means[(means.variant == "maspo") & (means.benchmark == "average")].iloc[0]
    assert accuracy.loc["maspo"].tolist() == pytest.approx(
        [100 * row.avg_at_k, 100 * row.avg_at_k_low, 100 * row.avg_at_k_high]
    )
    figure = script("entropy_accuracy").draw(means, dynamics, 32)
    outside = [text for text in texts(figure.axes[1]) if text.startswith("outside")]
    assert bool(outside) == (entropy.value["sapo"] > 1)


def test_gradient_use_draws_fractions_weights_and_shares(alike, script):
    use = read(alike, "main_gradient_use")
    figure = script("gradient_use").draw(use)
    fractions, weights, shares = figure.axes
    grpo = use[use.variant == "grpo"]
    assert np.allclose(fractions.lines[0].get_ydata(), 100 * grpo.nonzero_fraction)
    assert np.allclose(weights.lines[0].get_ydata(), grpo.mean_weight)
    assert shares.lines[0].get_ydata().sum() == pytest.approx(100)
    assert shares.lines[0].get_ydata()[0] == pytest.approx(
        100 * grpo.tokens.iloc[0] / grpo.tokens.sum()
    )
    assert [label.get_text() for label in fractions.get_xticklabels()][:3] == ["0", "0.001", "0.01"]


def test_stability_marks_collapsed_settings(collapsed, alike, script):
    module = script("stability")
    table = read(collapsed, "stability")
    rows = module.of_factor(table, "lr")
    assert list(rows.value.unique()) == ["1e-5", "3e-5", "1e-4"]
    assert list(rows.place.unique()) == [0, 1, 2]
    assert list(module.of_factor(table, "gate").value.unique()) == ["bilateral", "unilateral"]
    for story, expected in ((table, ["2/3"]), (read(alike, "stability"), [])):
        figure = module.draw(story)
        assert texts(figure.axes[0]) == expected
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names[:3] == ["GRPO", "SAPO", "MASPO"]


def test_claims_are_drawn_in_their_units(script):
    def part(unit, value, **bound):
        numbers = {"effect": value, "low": value - 0.01, "high": value + 0.01}
        return {"study": "main", "statistic": "x_y", "unit": unit, "verdict": "supported"} | (
            numbers | {"above": None, "below": None, "margin": None} | bound
        )

    untested = {"verdict": "not tested", "effect": None, "unit": None}
    claims = [
        {
            "statement": "a",
            "verdict": "supported",
            "parts": [part("fraction", 0.02, above=0.0, margin=0.05)],
        },
        {
            "statement": "b",
            "verdict": "supported",
            "parts": [part("fraction", 0.01, below=0.02), part("nats", 0.1, above=0.0)],
        },
        {"statement": "c", "verdict": "not tested", "parts": [untested]},
    ]
    module = script("claims")
    rows = module.rows_of(claims)
    assert list(rows.text) == ["a", "b (main, x y)", "b (main, x y)", "c"]
    assert rows.value.tolist()[:3] == pytest.approx([2, 1, 0.1])
    assert rows.bound.tolist()[:3] == pytest.approx([0, 2, 0])
    assert rows.margin.tolist()[:2] == pytest.approx([5, float("nan")], nan_ok=True)
    figure = module.draw(claims)
    (points, nats, _) = figure.axes
    bands = [patch for patch in points.patches if patch.get_width() > 0]
    assert [
        (band.get_x(), band.get_width(), band.get_y() + band.get_height() / 2) for band in bands
    ] == [(-5, 10, 0)]
    assert points.get_xlim()[0] < -5 < 5 < points.get_xlim()[1]
    assert not [patch for patch in nats.patches if patch.get_width() > 0]
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["supported", "bound of the claim", "within the margin"]
    assert [axis.get_xlabel() for axis in figure.axes] == ["Points", "Nats", ""]
    assert texts(figure.axes[2]) == ["not tested"]
