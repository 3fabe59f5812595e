"""Scores and the results table: values, ranks, percentages, intervals and marks of known runs."""

import pandas as pd
import pytest
from fabricate import Skill, make_runs, study_data

from maspo.config import load_experiment
from maspo.config.studies import load_study
from maspo.errors import DataError
from maspo.inert import in_latex
from maspo.reporting.comparisons import comparison_markdown, comparison_table
from maspo.reporting.format import fixed, latex, markdown, percent
from maspo.reporting.labels import label
from maspo.reporting.results_table import latex_table, markdown_table
from maspo.reporting.run_scores import at_k, mean_scores, run_scores
from maspo.reporting.study_data import AVERAGE


@pytest.fixture
def means():
    """Return means of two columns, with ties, written by hand."""
    values = {
        "base": (0.9, 1.0, 0.9, 1.0),
        "grpo": (0.55, 0.85, 0.55, 0.85),
        "sapo": (0.65, 0.9, 0.7, 0.9),
        "maspo": (0.65, 0.7, 0.55, 0.7),
    }
    rows = []
    for variant, cells in values.items():
        for name, (avg, passed) in {"terms2": cells[:2], AVERAGE: cells[2:]}.items():
            row = {"variant": variant, "label": variant.upper(), "benchmark": name, "seeds": 2}
            for metric, value in (("avg_at_k", avg), ("pass_at_k", passed)):
                row |= {metric: value, f"{metric}_low": value - 0.1, f"{metric}_high": value}
            rows.append(row)
    return pd.DataFrame(rows)


def test_markdown_marks_best_and_second_and_never_the_base(means):
    text = markdown_table(means, 32, 0.95)
    lines = [line.replace("<br><sub>", " (").replace("</sub>", ")") for line in text.splitlines()]
    assert lines[0] == "| Method | terms2 A@32 / P@32 | average A@32 / P@32 |"
    assert "90.0 / 100.0 (80.0–90.0 / 90.0–100.0)" in lines[2]
    assert "**" not in lines[2]
    assert "<u>55.0</u> / <u>85.0</u> (45.0–55.0 / 75.0–85.0) |" in lines[3]
    assert lines[4].startswith("| SAPO | **65.0** / **90.0** (")
    assert "| **65.0** / 70.0 (" in lines[5]
    assert "| <u>55.0</u> / 70.0 (" in lines[5]
    assert "2 seeds a method" in text
    assert "95 %" in text


def test_latex_has_the_same_cells(means):
    text = latex_table(means, 32)
    assert r"SAPO & \textbf{65.0} / \textbf{90.0} & \textbf{70.0} / \textbf{90.0} \\" in text
    assert r" & {\scriptsize 55.0--65.0 / 80.0--90.0} &" in text
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count("&") for line in body} == {2}
    assert text.index("BASE") < text.index(r"\midrule", text.index("BASE")) < text.index("GRPO")


def test_scores_are_the_shares_of_correct_records(tmp_path):
    sure, mixed = Skill(easy=1.0, hard=0.0), Skill(easy=1.0, hard=0.5)
    layout = make_runs(tmp_path, {"grpo": sure, "maspo": mixed}, seeds=2, problems=50)
    data = study_data(layout, ["grpo", "maspo"], seeds=2)
    runs = run_scores(data)
    table = mean_scores(runs, at_k(data)).set_index(["variant", "benchmark"])
    assert list(dict.fromkeys(runs.variant)) == ["base", "grpo", "maspo"]
    assert table.avg_at_k["grpo", "easy"] == 1
    assert table.avg_at_k["grpo", "hard"] == 0
    assert table.avg_at_k["grpo", AVERAGE] == 0.5
    assert table.pass_at_k["grpo", AVERAGE] == 0.5
    row = table.loc[("maspo", "hard")]
    assert row.avg_at_k == pytest.approx(0.5, abs=0.07)
    assert row.avg_at_k_low < row.avg_at_k < row.avg_at_k_high
    assert row.best_at_k < row.pass_at_k
    values = runs[(runs.variant == "maspo") & (runs.benchmark == "hard")].avg_at_k
    assert row.avg_at_k == pytest.approx(values.mean())
    assert row.avg_at_k_std == pytest.approx(values.std())
    assert (row.seeds, table.seeds["base", "easy"]) == (2, 2)


def test_at_k_holds_powers_of_two_and_rises_with_k(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=2)
    table = at_k(study_data(layout, ["grpo"], seeds=2))
    chosen = table[(table.variant == "grpo") & (table.benchmark == "hard")]
    passes = chosen[chosen.metric == "pass"]
    assert list(passes.k) == [1, 2, 4, 8]
    assert passes.value.is_monotonic_increasing
    assert set(table.label) == {"Base policy", "GRPO"}


def test_comparisons_are_with_the_reference_and_of_our_method_with_each(tmp_path):
    skills = {"grpo": Skill(0.6, 0.3), "sapo": Skill(0.7, 0.4), "maspo": Skill(0.9, 0.6)}
    data = study_data(make_runs(tmp_path, skills), list(skills))
    table = comparison_table(data)
    average = table[(table.benchmark == AVERAGE) & (table.metric == "avg")]
    pairs = list(zip(average.method, average.reference, strict=True))
    assert pairs == [("sapo", "grpo"), ("maspo", "grpo"), ("maspo", "sapo")]
    row = average.iloc[1]
    assert row.difference == pytest.approx(0.3, abs=0.05)
    assert 0.2 < row.low < row.difference < row.high < 0.4
    assert row.p_holm >= row.p
    text = comparison_markdown(table, 0.95)
    assert f"| MASPO − GRPO | {percent(row.difference, sign=True)} [" in text


def test_comparisons_stay_within_one_condition(tmp_path):
    variants = ["grpo@lr_1e-05", "maspo@lr_1e-05", "grpo", "maspo"]
    data = study_data(tmp_path, variants, reference="grpo")
    assert data.pairs() == [("maspo@lr_1e-05", "grpo@lr_1e-05"), ("maspo", "grpo")]
    alone = study_data(make_runs(tmp_path, {"grpo": Skill()}), ["grpo"])
    assert comparison_table(alone).empty
    assert "Comparison" in comparison_markdown(comparison_table(alone), 0.95)


def test_seeds_of_other_problems_are_refused(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1, problems=10)
    other = make_runs(tmp_path / "other", {"grpo": Skill()}, seeds=2, problems=11)
    other.evaluation("grpo", 2).rename(layout.evaluation("grpo", 2))
    with pytest.raises(DataError, match=r"seed_2.records\.parquet holds other problems"):
        study_data(layout, ["grpo"], seeds=2).outcomes("grpo")


@pytest.mark.parametrize(
    ("variant", "name"),
    [
        ("base", "Base policy"),
        ("maspo", "MASPO"),
        ("maspo_alpha_0.5", "MASPO, alpha 0.5"),
        ("maspo_no_mass", "MASPO without mass"),
        ("sapo_unilateral", "SAPO (unilateral)"),
        ("grpo@lr_0.0001", "GRPO, lr 1e-4"),
        ("grpo@lr_2.5e-05", "GRPO, lr 2.5e-5"),
        ("maspo_beta_0.1@lr_1e-05", "MASPO, beta 0.1, lr 1e-5"),
        ("maspo@updates_per_batch_1", "MASPO, 1 update a batch"),
        ("maspo@updates_per_batch_4", "MASPO, 4 updates a batch"),
        ("grpo@reward_random", "GRPO, random reward"),
        ("dr_grpo_max_tokens_44", "Dr. GRPO, max tokens 44"),
        ("my_own", "my own"),
    ],
)
def test_labels(variant, name):
    assert label(variant) == name


def test_a_study_says_the_conditions_that_its_variants_differ_in():
    experiment = load_experiment(["scale=mini"])
    study = load_study("learning_rate", 2, experiment)
    assert study.unnamed == {"lr": "0.0003", "lr_schedule": "linear"}
    assert label("grpo@lr_schedule_constant", study.unnamed) == "GRPO, lr 3e-4, constant rate"
    assert label("grpo@lr_0.0001@lr_schedule_constant", study.unnamed) == (
        "GRPO, lr 1e-4, constant rate"
    )
    assert label("base", study.unnamed) == "Base policy"
    assert load_study("main", 2, experiment).unnamed == {}


def test_latex_escapes_what_latex_would_read():
    assert in_latex(r"a_b & 5 % ± {x} ^ ~ \ # $") == (
        r"a\_b \& 5 \% $\pm$ \{x\} \textasciicircum{} \textasciitilde{} \textbackslash{} \# \$"
    )
    text = latex(["Method", "Share (%)"], [["a_b", "−1.0"]])
    assert r"a\_b & $-$1.0 \\" in text
    assert r"Share (\%)" in text
    assert r"\begin{tabular}{lr}" in text


def test_numbers_as_readers_see_them():
    assert percent(0.1234) == "12.3"
    assert percent(-0.0001, sign=True) == "0.0"
    assert percent(0.02, sign=True) == "+2.0"
    assert fixed(-1.5, 1) == "−1.5"
    assert fixed(float("nan"), 1) == "–"
    assert markdown(["a", "b"], [["x|y", "1"]]) == "| a | b |\n| --- | ---: |\n| x\\|y | 1 |\n"
