"""Tables of a whole suite, and the two steps that write every result file."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from fabricate import EDGES, STEPS, Skill, make_runs, settings, study_data, suite_of

from maspo.config import load_experiment, load_study
from maspo.errors import ConfigError, DataError
from maspo.reporting import results as reading
from maspo.reporting.cost import cost, cost_latex, cost_markdown
from maspo.reporting.published import (
    obstacle,
    published,
    published_latex,
    published_markdown,
    read_published,
)
from maspo.reporting.stability import stability, stability_latex, stability_markdown
from maspo.reporting.study_data import AVERAGE
from maspo.reporting.variance_table import variance, variance_markdown
from maspo.steps.claims import claims
from maspo.steps.table import table

FALLEN = tuple(np.r_[np.full(STEPS // 2, 0.8), np.full(STEPS // 2, 0.1)])


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """Return a suite of two studies of stability: learning rates, and the gate's sides."""
    skills = {
        "grpo": Skill(spread=0.03),
        "grpo@lr_0.0001": Skill(reward=FALLEN),
        "maspo": Skill(),
        "sapo": Skill(reward=FALLEN),
        "sapo_unilateral": Skill(),
    }
    layout = make_runs(tmp_path_factory.mktemp("runs"), skills, seeds=3)
    rates = study_data(layout, ["grpo", "grpo@lr_0.0001"], name="learning_rate")
    gates = ["maspo", "sapo", "sapo_unilateral"]
    return suite_of(rates, study_data(layout, gates, seeds=2, name="gate"))


def test_stability_counts_collapses_and_names_the_factor(suite):
    steady = stability(suite)
    rows = steady.set_index("variant")
    assert list(rows.collapsed) == [0, 3, 0, 2, 0]
    assert set(rows.factor) == {"lr"}
    assert list(rows.value) == ["3e-05", "0.0001", "3e-05", "3e-05", "3e-05"]
    assert rows.final_reward["sapo"] == pytest.approx(0.1)
    assert list(rows.reward_collapses) == list(rows.collapsed)
    assert set(rows.entropy_collapses) == {0}
    text = stability_markdown(suite, steady)
    assert "| GRPO | learning rate | 1e-4 | 3 of 3 | 10.0 [10.0, 10.0] |" in text
    assert "Of all 12 runs of this suite 5 collapsed: GRPO, lr 1e-4 (seed 1)" in text
    assert r"SAPO & learning rate & 3e-5 & 2 of 2 &" in stability_latex(suite, steady)


def test_stability_takes_the_width_of_a_gate_from_the_objective(suite):
    own = replace(suite.studies[1].study, name="sigma_base")
    widths = stability(suite_of(replace(suite.studies[1], study=own)))
    assert list(widths.variant) == ["maspo"]  # the others have no width
    assert list(widths.factor) == ["sigma_base"]
    assert list(widths.value) == ["1.0"]


def test_a_variant_of_two_studies_of_one_factor_stands_once(suite):
    again = replace(suite.studies[0].study, name="gate", variants=("grpo",))
    steady = stability(suite_of(suite.studies[0], replace(suite.studies[0], study=again)))
    assert list(steady.variant) == ["grpo", "grpo@lr_0.0001"]


def test_stability_of_a_suite_without_its_studies_says_so(tmp_path):
    suite = suite_of(study_data(make_runs(tmp_path, {"grpo": Skill()}), ["grpo"]))
    steady = stability(suite)
    assert steady.empty
    assert "objective" in steady.columns
    assert "none of the studies learning_rate" in stability_markdown(suite, steady)


def test_cost_sums_steps_and_counts_each_run_once(suite):
    spent = cost(suite)
    rows = spent.set_index("variant")
    assert rows.runs["base"] == 3
    assert rows.runs["grpo"] == 3
    assert rows.training_tokens["grpo"] == 100 * STEPS
    assert rows.training_seconds["grpo"] == STEPS
    assert rows.update_seconds["grpo"] == pytest.approx(0.2 * STEPS)
    assert rows.tokens_per_second["grpo"] == 100
    assert rows.evaluation_tokens["grpo"] == 5 * 2 * 40 * 8
    assert np.isnan(rows.training_seconds["base"])
    text = cost_markdown(suite, spent)
    total = next(line for line in text.splitlines() if line.startswith("| All runs together"))
    assert f"| 15 | {12 * 100 * STEPS:,} | {12.0 * STEPS:.1f} |" in total
    assert "Test CPU (2 cores), 12 runs" in text
    assert "All runs together & 15" in cost_latex(spent)


def test_a_timing_without_a_phase_is_named(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    (layout.run("grpo", 1) / "timings.jsonl").write_text('{"step": 1, "seconds": 1.0}\n')
    with pytest.raises(DataError, match="sample"):
        cost(suite_of(study_data(layout, ["grpo"], seeds=1)))


def test_variance_is_split_and_shares_add_up(suite):
    parts = variance(suite).set_index("variant")
    shares = [f"{name}_share" for name in ("seed", "problem", "seed_problem", "decoding")]
    assert parts.loc["grpo", shares].sum() == pytest.approx(1)
    # Made with a spread of 3 points between seeds, and none between those of maspo.
    assert parts.seed["grpo"] > 5 * parts.seed["maspo"]
    assert parts.minus_label["sapo"] == "MASPO"
    assert pd.isna(parts.minus_label["grpo"])
    text = variance_markdown(suite, parts.reset_index())
    assert "| GRPO | 3 |" in text
    assert "No study compares the paper's method with a reference" in text


def test_a_plan_is_given_where_the_method_is_compared(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill(spread=0.01), "maspo": Skill(0.9, 0.5)})
    suite = suite_of(study_data(layout, ["grpo", "maspo"]))
    text = variance_markdown(suite, variance(suite))
    assert "To know MASPO minus GRPO on these very problems to within 1 point either side" in text
    assert "completions a method" in text


def test_a_miniature_is_not_compared_with_the_paper(suite):
    beside = published(suite)
    assert not {"avg_difference", "pass_difference"} & set(beside)
    assert set(beside.model) == {"1.5B", "7B", "14B"}
    assert set(beside.benchmark) == {AVERAGE}
    assert not beside.comparable.any()
    text = published_markdown(suite, beside)
    assert "stand side by side without differences" in text
    assert "Difference" not in text
    assert "Difference" not in published_latex(suite, beside)
    rows = beside[beside.model == "1.5B"].set_index("method")
    assert rows.published_avg_at_k["MASPO"] == pytest.approx(0.514)
    expected = suite.studies[1].score("maspo", AVERAGE, "avg")[0]
    assert rows.avg_at_k["MASPO"] == expected
    assert pd.isna(rows.avg_at_k["DAC"])


@pytest.fixture
def replica(tmp_path):
    """Return a suite at scale gpu whose two benchmarks are called as two of the paper's."""
    experiment = load_experiment(["scale=gpu", "statistics.draws=199"])
    study = load_study("main_1_5b", 2, experiment)
    skills = {name: Skill(0.75, 0.4) for name in study.variants}
    layout = make_runs(tmp_path, skills, seeds=2)
    for path in layout.root.rglob("records.parquet"):
        records = pd.read_parquet(path)
        names = {"easy": "amc23", "hard": "aime24"}
        write(path, records.assign(benchmark=records["benchmark"].map(names)))
    return suite_of(study_data(layout, list(study.variants), 2), experiment=experiment)


def write(path, records):
    """Write a frame of records back in the schema of records."""
    import pyarrow as pa

    from maspo.evaluation.records import SCHEMA, write_records

    write_records(path, pa.Table.from_pandas(records, schema=SCHEMA, preserve_index=False))


def test_a_replica_is_compared_with_its_own_size(replica, monkeypatch):
    chosen = {"AIME24": "aime24", "AMC23": "amc23", "Average": AVERAGE}
    known = read_published()
    monkeypatch.setattr(
        "maspo.reporting.published.read_published",
        lambda: known[known["benchmark"].isin(chosen.values())],
    )
    assert obstacle(replica) is None
    beside = published(replica)
    assert set(beside.model) == {"1.5B"}
    row = beside.set_index(["method", "benchmark"]).loc[("MASPO", "aime24")]
    assert row.variant == "maspo_alpha_0.5"
    assert row.published_avg_at_k == pytest.approx(0.410)
    assert row.avg_difference == pytest.approx(row.avg_at_k - 0.410)
    assert row.pass_difference == pytest.approx(row.best_at_k - 0.748)
    text = published_markdown(replica, beside)
    assert "Differences: ours minus published, in points." in text
    line = next(line for line in text.splitlines() if line.startswith("| 1.5B | MASPO | AIME24"))
    assert f"{100 * row.avg_difference:+.1f}".replace("-", "−") in line


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["scale=mini"], "trains a miniature policy"),
        (["scale=smoke"], "trains a miniature policy"),
        (["scale=gpu", "evaluate.samples=4"], "of 32 samples a problem, ours of 4"),
        (["scale=gpu", "model.path=org/Other-3B"], "'org/Other-3B'"),
    ],
)
def test_what_stands_in_the_way_is_said(suite, overrides, words):
    other = replace(suite, experiment=load_experiment(overrides))
    assert words in obstacle(other)


def test_the_published_averages_agree_with_their_cells():
    known = read_published()
    cells = known[known["benchmark"] != AVERAGE].groupby(["model", "method"])
    averages = known[known["benchmark"] == AVERAGE].set_index(["model", "method"])
    for column in ("published_avg_at_k", "published_pass_at_k"):
        gap = (cells[column].mean() - averages[column]).dropna().abs()
        assert len(gap) == 14
        assert gap.max() < 0.00051


FILES = {
    *(f"tables/main{end}" for end in (".csv", ".md", ".tex", "_runs.csv", "_at_k.csv")),
    *(f"tables/main_comparisons{end}" for end in (".csv", ".md")),
    *("tables/main_dynamics.csv", "tables/main_gradient_use.csv", "tables/main_manifest.json"),
    *(f"tables/main_{name}.csv" for name in ("ratio_use", "ratio_moves", "snapshots", "facts")),
    *(f"tables/main_efficiency{end}" for end in (".csv", ".md")),
    *(f"tables/{name}{end}" for name in ("stability", "cost", "published") for end in (".csv",)),
    *(f"tables/{name}{end}" for name in ("stability", "cost", "published") for end in (".md",)),
    *(f"tables/{name}.tex" for name in ("stability", "cost", "published", "claims")),
    *(f"tables/{name}{end}" for name in ("variance", "tuning") for end in (".csv", ".md")),
    *("claims.json", "claims.md", "claims_manifest.json"),
}
COLUMNS = {
    "main": "variant,label,seeds,benchmark,avg_at_k,avg_at_k_low,avg_at_k_high,avg_at_k_std",
    "main_at_k": "variant,label,benchmark,metric,k,value,low,high",
    "main_dynamics": "variant,label,step,metric,mean,low,high,seeds",
    "main_efficiency": "variant,label,seed,area,area_low,area_high,steps_to_0.3,steps_to_0.4",
    "main_gradient_use": "variant,label,bin_low,bin_high,tokens,nonzero_fraction,nonzero_low,"
    "nonzero_high,mean_weight,weight_low,weight_high",
    "main_comparisons": "method,method_label,reference,reference_label,benchmark,metric",
    "main_runs": "variant,label,seed,benchmark,problems,samples,avg_at_k,pass_at_k,best_at_k",
    "stability": "variant,label,objective,factor,value,seeds,collapsed,final_reward",
}


@pytest.fixture
def experiment(tmp_path, monkeypatch):
    """Return a suite of the study main, its runs made up."""
    monkeypatch.chdir(tmp_path)
    wanted = replace(settings("studies=[main]", "seeds=2"), results="results", tables_of="main")
    study = load_study("main", 2, wanted)
    make_runs(tmp_path / "results", {name: Skill() for name in study.variants}, seeds=2)
    return wanted


def test_the_steps_write_every_file_and_read_each_record_once(experiment, tmp_path, monkeypatch):
    read, plain = [], reading.read_records
    monkeypatch.setattr(reading, "read_records", lambda path: read.append(path) or plain(path))
    for step in (table, claims):
        step(experiment)
        assert len(read) == len(set(read)) == 16, step
        read.clear()
    folder = tmp_path / "results" / "default"
    made = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert made == FILES
    for name, start in COLUMNS.items():
        first = (folder / "tables" / f"{name}.csv").read_text().splitlines()[0]
        assert first.startswith(start), name
    means = pd.read_csv(folder / "tables" / "main.csv")
    assert means.filter(regex="_at_k").max().max() <= 1
    use = pd.read_csv(folder / "tables" / "main_gradient_use.csv")
    assert sorted({*use.bin_low, *use.bin_high}) == EDGES
    manifest = json.loads((folder / "tables" / "main_manifest.json").read_text())
    assert len(manifest["inputs"]) == 1 + 16 + 2 * 14
    assert "default/tables/main.csv" in manifest["outputs"]
    manifest = json.loads((folder / "claims_manifest.json").read_text())
    names = [path.rsplit("/", 1)[-1] for path in manifest["inputs"]]
    assert names.count("manifest.json") == 16 + 14
    assert {"claims.yaml", "results.csv"} <= set(names)


def test_the_tables_are_the_same_when_made_again(experiment, tmp_path):
    folder = tmp_path / "results" / "default"
    texts = []
    for _ in range(2):
        table(experiment)
        claims(experiment)
        files = [path for path in sorted(folder.rglob("*")) if path.suffix != ".json"]
        texts.append(
            [path.read_text() for path in [*files, folder / "claims.json"] if path.is_file()]
        )
    assert texts[0] == texts[1]
    assert len(texts[0]) == len(FILES) - 2


def test_a_study_outside_the_suite_is_refused(experiment):
    with pytest.raises(ConfigError, match=r"tables_of=beta: the suite 'default' has \['main'\]"):
        table(replace(experiment, tables_of="beta"))
