"""One look for all figures: methods can be told apart, and equal data give equal bytes."""

import pytest
from matplotlib.colors import to_hex, to_rgb

from figures_data import STUDIES


def test_verdicts_can_be_told_apart_in_grey(script):
    looks = script("claims").LOOKS
    assert list(looks) == ["supported", "contradicted", "negligible", "inconclusive", "not tested"]
    assert len({look["marker"] for look in looks.values()}) == len(looks)


def test_every_variant_of_a_figure_looks_different(script):
    style = script("style")
    for labels in STUDIES.values():
        looks = style.styles_for(["base", *labels]).values()
        seen = {(to_hex(look["color"]), str(look["linestyle"]), look["marker"]) for look in looks}
        assert len(seen) == len(labels) + 1
    looks = style.styles_for(["grpo", "grpo@lr_1e-4"])
    assert looks["grpo"]["color"] == looks["grpo@lr_1e-4"]["color"]


def test_the_rates_of_a_method_can_be_told_apart_without_lines(script):
    style = script("style")
    rates = [f"grpo@lr_{rate}e-4" for rate in (1, 2, 3, 4, 6)]
    looks = [style.dot(look) for look in style.styles_for(["grpo", *rates]).values()]
    assert {(look["color"], look["marker"]) for look in looks} == {(style.BLACK, "o")}
    assert len({look.get("fillstyle", "full") for look in looks}) == 6


def test_values_of_one_setting_lie_on_a_scale(script):
    """From light to dark by size, and the method itself as everywhere."""
    style = script("style")
    looks = style.styles_for(["maspo_alpha_1.0", "maspo", "maspo_alpha_0.1", "maspo_alpha_0.5"])
    tones = [sum(to_rgb(looks[f"maspo_alpha_{value}"]["color"])) for value in ("0.1", "0.5", "1.0")]
    assert tones == sorted(tones, reverse=True)
    assert looks["maspo"] == style.METHODS["maspo"]


def test_a_method_looks_the_same_in_every_study(script):
    style = script("style")
    for labels in STUDIES.values():
        looks = style.styles_for(labels)
        for name in {"grpo", "sapo", "maspo", "maspo_no_mass"} & set(labels):
            assert looks[name] == style.METHODS[name]


def test_panels_are_saved_at_rounded_places(tmp_path, script):
    """The solver's last bits differ between processes; equal data must give equal bytes."""
    style = script("style")
    figure, panels = style.plt.subplots(1, 3, width_ratios=[1, 2, 3], layout="constrained")
    figure.draw_without_rendering()
    before = [side for panel in panels for side in panel.get_position(original=True).bounds]
    style.save(figure, tmp_path, "it")
    after = [side for panel in panels for side in panel.get_position(original=True).bounds]
    rounded = [round(side, 6) for side in before]
    assert after == pytest.approx(rounded, abs=1e-12)
    assert before != pytest.approx(rounded, abs=1e-12)


def test_a_legend_stays_inside_its_figure(script):
    style = script("style")
    labels = {f"maspo@lr_{i}e-4": f"MASPO with a rate of {i}e-4, constant" for i in range(1, 25)}
    figure = style.plt.figure(figsize=(8, 3), layout="constrained")
    style.legend(figure, labels, style.styles_for(labels))
    (box,) = figure.legends
    assert box.get_window_extent().width < figure.bbox.width
    assert box._ncols > 1
