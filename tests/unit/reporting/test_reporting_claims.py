"""Verdicts: each kind reached from runs of known truth."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from fabricate import STEPS, Skill, make_runs, settings, study_data, suite_of

from maspo.config import load_experiment, load_study, options
from maspo.errors import ConfigError
from maspo.reporting import claim_statistics as statistics
from maspo.reporting.claims import Ruling, judge, judge_claims
from maspo.reporting.claims_file import load_claims
from maspo.reporting.claims_text import claims_json, claims_latex, claims_markdown

ROOT = Path(__file__).parents[3]
SCHEMA = json.loads((ROOT / "workflow" / "schemas" / "claims.schema.json").read_text())
SCHEMA_PARTS = {"$defs": SCHEMA["$defs"]}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a study in which maspo leads by 10 points, and one variant is equal to it."""
    skills = {
        "grpo": Skill(0.7, 0.4, reward=tuple(np.linspace(0.4, 0.7, STEPS)), spread=0.02),
        "sapo": Skill(
            0.6, 0.3, reward=tuple(np.r_[np.full(15, 0.8), np.full(5, 0.1)]), spread=0.02
        ),
        "maspo": Skill(0.8, 0.5, entropy=tuple(np.full(STEPS, 0.15)), spread=0.02),
        "maspo_no_risk": Skill(0.8, 0.5, spread=0.02),
    }
    layout = make_runs(tmp_path_factory.mktemp("runs"), skills, samples=16)
    return study_data(layout, list(skills))


def test_difference_finds_the_lead(data):
    found = statistics.Difference("ours", "grpo", "avg").effect(data)
    assert found.value == pytest.approx(0.1, abs=0.02)
    assert 0 < found.low < found.value < found.high
    assert found.what == "MASPO minus GRPO, Avg@16"
    assert (found.seeds, found.unit) == (3, "fraction")
    assert found.p < 0.01


def test_best_inside_is_the_smallest_lead(data):
    found = statistics.BestInside(["ours"], ["grpo", "sapo"], "avg").effect(data)
    assert found.value == statistics.Difference("ours", "grpo", "avg").effect(data).value
    assert found.low > 0
    tie = statistics.BestInside(["ours"], "others", "avg").effect(data)
    assert "MASPO without risk" in tie.what
    assert judge(tie, 0.0, None) is Ruling.INCONCLUSIVE
    behind = statistics.BestInside(["sapo"], "others", "avg").effect(data)
    assert judge(behind, 0.0, None) is Ruling.CONTRADICTED


def test_best_inside_of_a_set_takes_its_best(data):
    found = statistics.BestInside(["sapo", "maspo"], ["grpo"], "avg").effect(data)
    alone = statistics.BestInside(["maspo"], ["grpo"], "avg").effect(data)
    assert found.value == alone.value
    assert found.low < alone.low  # it was chosen among two
    assert found.high == alone.high
    swapped = statistics.BestInside(["grpo"], ["sapo", "maspo"], "avg").effect(data)
    assert (swapped.value, swapped.low, swapped.high) == pytest.approx(
        (-found.value, -found.high, -found.low)
    )


def test_interaction_is_the_gain_under_a_condition_beyond_the_gain_without(tmp_path):
    skills = {
        "grpo": Skill(0.7, 0.4, spread=0.02),
        "maspo": Skill(0.8, 0.4, spread=0.02),  # 5 points ahead
        "sapo": Skill(0.7, 0.5, spread=0.02),
        "grpo@false_negatives_0.2": Skill(0.5, 0.4, spread=0.02),
        "maspo@false_negatives_0.2": Skill(0.8, 0.5, spread=0.02),  # 20 points ahead
        "sapo@false_negatives_0.2": Skill(0.5, 0.3, spread=0.02),
    }
    layout = make_runs(tmp_path, skills, samples=64)
    data = study_data(layout, list(skills))
    arguments = ("grpo", "false_negatives_0.2", "avg")
    one = statistics.Interaction(["maspo"], *arguments).effect(data)
    assert one.value == pytest.approx(0.15, abs=0.02)
    assert judge(one, 0.0, None) is Ruling.SUPPORTED
    both = statistics.Interaction(["sapo", "maspo"], *arguments).effect(data)
    assert both.value == one.value  # MASPO gains most under the condition
    assert both.low < one.low  # it was chosen among two
    assert both.what == (
        "MASPO, false negatives 0.2 minus GRPO, false negatives 0.2, beyond MASPO minus GRPO, "
        "Avg@64"
    )
    other = statistics.Interaction(["sapo"], *arguments).effect(data)
    assert other.value == pytest.approx(-0.1, abs=0.02)
    with pytest.raises(ConfigError, match=r"grpo@lr_0\.1"):
        statistics.Interaction(["maspo"], "grpo", "lr_0.1", "avg").effect(data)


def test_a_question_is_reported_where_its_study_was_run(data):
    question = next(claim for claim in load_claims() if claim.kind == "question")
    studies = {part.studies for part in question.parts}
    assert judge_claims(suite_of(data), [question]) == []
    named = replace(data, study=replace(data.study, name="main"))
    (claim,) = (claim for claim in load_claims() if claim.id == "above_grpo")
    asked = replace(claim, kind="question")
    assert studies == {("partial_credit",)}
    assert len(judge_claims(suite_of(named), [asked])) == 1


def test_largest_shift_is_of_either_sign(data):
    found = statistics.LargestShift("maspo", "avg").effect(data)
    assert found.value == pytest.approx(0.2, abs=0.03)  # sapo, below
    assert found.low <= found.value <= found.high
    assert judge(found, None, 0.02) is Ruling.CONTRADICTED
    assert judge(found, None, 0.5) is Ruling.SUPPORTED
    few = replace(data, study=replace(data.study, variants=("maspo", "maspo_no_risk")), _known={})
    same = statistics.LargestShift("maspo", "avg").effect(few)
    assert same.low == 0
    assert judge(same, None, 0.0001) is Ruling.INCONCLUSIVE


def test_entropy_area_and_steps_are_paired_by_seed(data):
    entropy = statistics.FinalLog("ours", "grpo", "entropy", 1, "nats").effect(data)
    assert entropy.value == pytest.approx(0.05)
    assert judge(entropy, 0.0, None) is Ruling.SUPPORTED
    area = statistics.Area("ours", "grpo").effect(data)
    assert area.value == pytest.approx(0.1)
    assert (area.low, area.high) == pytest.approx((0.1, 0.1))  # the seeds' shifts cancel
    steps = statistics.StepsSaved("ours", "grpo", 0.8).effect(data)
    assert steps.value > 0
    assert "3 of 6 runs never reached it" in steps.what


def test_collapse_rate_compares_the_runs_that_fell(data):
    found = statistics.CollapseRate("maspo", "sapo").effect(data)
    assert found.value == 1
    assert judge(found, 0.0, None) is Ruling.SUPPORTED
    assert found.what.startswith("SAPO collapsed in 3 of 3 runs and MASPO in 0")
    none = statistics.CollapseRate("maspo", "grpo").effect(data)
    assert none.value == 0
    assert judge(none, 0.0, None) is Ruling.INCONCLUSIVE


def test_a_variant_that_the_study_lacks_is_named(data):
    with pytest.raises(ConfigError, match=r"'dac'.*'main' has \['grpo'"):
        statistics.Difference("ours", "dac", "avg").effect(data)


def test_all_shipped_claims_are_judged_and_the_json_is_valid(data):
    suite = suite_of(data)
    claims = load_claims()
    assert sum(claim.kind == "claim" for claim in claims) == 11
    verdicts = {verdict.claim.id: verdict for verdict in judge_claims(suite, claims)}
    assert verdicts["above_grpo"].ruling is Ruling.SUPPORTED
    assert verdicts["best_of_table"].ruling is Ruling.INCONCLUSIVE
    assert verdicts["final_entropy"].ruling is Ruling.SUPPORTED
    area, saved = verdicts["sample_efficiency"].parts
    assert area.ruling is Ruling.SUPPORTED
    assert saved.effect.value > 0
    assert verdicts["best_alpha"].ruling is Ruling.NOT_TESTED
    content = claims_json(suite, list(verdicts.values()))
    jsonschema.validate(json.loads(json.dumps(content, allow_nan=False)), SCHEMA)
    (alpha,) = next(c for c in content["claims"] if c["id"] == "best_alpha")["parts"]
    command = "snakemake --cores all full --config scale=mini overrides="
    changed = f"results={suite.experiment.results} evaluate.samples=8 statistics.draws=199"
    assert alpha["command"] == f'{command}"{changed}"'
    assert alpha["effect"] is None
    assert {"variant": "sapo", "seed": 3} in content["collapse"]["collapsed"]
    assert content["collapse"]["runs"] == 12
    (part,) = content["claims"][0]["parts"]
    found = verdicts["above_grpo"].parts[0].effect
    assert part["margin"] == 0.01
    assert part["detectable"] == pytest.approx(1.42940 * (found.value - found.low), rel=1e-4)
    for broken in (
        {"verdict": "perhaps"},
        {"detectable": -0.1},
        {"detectable": None},  # of what the runs decided
        {"command": "snakemake"},
        {"margin": 0},
        {"verdict": "negligible", "margin": None},
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(part | broken, {"$ref": "#/$defs/part", **SCHEMA_PARTS})
    jsonschema.validate(part, {"$ref": "#/$defs/part", **SCHEMA_PARTS})


def test_methods_that_differ_by_less_than_the_margin_are_called_so(data):
    few = replace(data, study=replace(data.study, variants=("grpo", "maspo")), _known={})
    claim = next(claim for claim in load_claims() if claim.id == "above_grpo")
    claim = replace(claim, parts=(replace(claim.parts[0], margin=0.2, above=0.1),))
    (verdict,) = judge_claims(suite_of(few), [claim])
    assert verdict.ruling is Ruling.NEGLIGIBLE
    assert "the interval holds 10 and lies within 20.0 points of it" in verdict.parts[0].reasoning
    assert verdict.parts[0].command is None


def test_pass_at_32_says_by_which_estimator():
    said = {claim.id: claim.statement for claim in load_claims()}
    assert said["pass_at_32"].endswith("than GRPO (best@32, draws with replacement)")
    assert said["pass_at_32_unbiased"].endswith("than GRPO (unbiased estimator)")


def test_readers_see_effect_interval_reason_and_command(data):
    suite = suite_of(data)
    verdicts = judge_claims(suite, load_claims())
    text = claims_markdown(suite, verdicts)
    start = "| MASPO has a higher Avg@32 than GRPO |"
    (row,) = [line for line in text.splitlines() if line.startswith(start)]
    assert "| supported | +" in row
    assert "the whole interval lies above 0, as the claim says" in text
    assert "scale mini trains one policy" in text.lower()
    assert '`snakemake --cores all full --config scale=mini overrides="results=/' in text
    assert "3 of the 12 runs of this suite collapsed: SAPO (seed 1)" in text
    latex = claims_latex(verdicts)
    assert latex.count(r"\\") == 1 + len(verdicts) + 2 + 2 + 3  # header, claims, parts of three
    assert "not tested" in latex


def test_one_seed_leaves_every_tested_claim_open(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill(0.5, 0.1), "maspo": Skill(0.9, 0.8)}, seeds=1)
    suite = suite_of(study_data(layout, ["grpo", "maspo"], seeds=1))
    verdicts = judge_claims(suite, load_claims())
    assert {verdict.ruling for verdict in verdicts} == {"inconclusive", "not tested"}
    content = claims_json(suite, verdicts)
    jsonschema.validate(json.loads(json.dumps(content, allow_nan=False)), SCHEMA)
    reasons = [part["reasoning"] for claim in content["claims"] for part in claim["parts"]]
    assert any("one seed cannot show how runs vary" in reason for reason in reasons)


def test_the_random_reward_check_fails_if_something_is_learned(tmp_path):
    names = ["grpo@reward_random", "maspo@reward_random"]
    claim = next(claim for claim in load_claims() if claim.id == "random_reward")
    for skill, ruling in ((Skill(0.5, 0.1), "supported"), (Skill(0.9, 0.6), "contradicted")):
        skills = {names[0]: Skill(0.5, 0.1), names[1]: skill}
        layout = make_runs(tmp_path / ruling, skills, problems=300, samples=16)
        suite = suite_of(study_data(layout, names, name="random_reward"))
        (verdict,) = judge_claims(suite, [claim])
        assert verdict.ruling == ruling, verdict.parts[0].reasoning
        assert "Base policy" in verdict.parts[0].reasoning


def test_other_model_sizes_are_read_from_their_own_results(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    variants = load_study("main_1_5b", 1, settings()).variants
    skills = {name: Skill(0.9, 0.6) if "maspo" in name else Skill() for name in variants}
    claim = next(claim for claim in load_claims() if claim.id == "model_sizes")
    layout = make_runs(Path("results/paper"), skills, seeds=2)
    experiment = replace(load_experiment(["scale=paper"]), seeds=2)
    suite = suite_of(study_data(layout, list(variants), 2), experiment=experiment)
    (verdict,) = judge_claims(suite, [claim])
    assert [part.ruling for part in verdict.parts] == ["supported", "not tested", "not tested"]
    assert "results/paper_7b does not hold all runs" in verdict.parts[1].reasoning
    assert "scale=paper_7b" in verdict.parts[1].command


@pytest.mark.slow
def test_every_shipped_claim_names_variants_of_its_studies():
    mini = load_experiment(["scale=mini"])
    studies = {name: load_study(name, 2, mini) for name in options("study")}
    for claim in load_claims():
        for part in claim.parts:
            for name in part.studies:
                study = studies[name]
                named = study_data(Path(), list(study.variants), reference=study.reference)
                for value in part.arguments.values():
                    names = value if isinstance(value, list) else [value]
                    for known in {"ours", "maspo", "grpo", "sapo"} & set(map(str, names)):
                        if part.name == "collapse_rate":  # of an objective under all conditions
                            objective = statistics.objective_of(named, known)
                            assert any(v.startswith(f"{objective}@") for v in study.variants)
                        else:
                            assert statistics.resolve(named, [known], []), (claim.id, name)
