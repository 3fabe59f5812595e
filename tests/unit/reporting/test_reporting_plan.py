"""The runs that would decide: numbers of seeds against formulas, and commands that are accepted."""

import math
import shlex
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from fabricate import Skill, make_runs, settings, study_data, suite_of
from scipy.stats import t

from maspo.config import load_experiment, load_suite
from maspo.reporting import claim_statistics as statistics
from maspo.reporting.claim_statistics import Effect
from maspo.reporting.claims import judge_claims, more_seeds
from maspo.reporting.claims_file import load_claims
from maspo.reporting.claims_plan import narrowing, seeds_to_decide
from maspo.reporting.claims_text import claims_json, claims_markdown
from maspo.reporting.ruling import Ruling, judge
from maspo.statistics import (
    Outcomes,
    Settings,
    comparisons,
    plan,
    seed_mean,
    variance_components,
)

PARTS = {part.name: part for claim in load_claims() for part in claim.parts}
STEPS_SAVED = PARTS["steps_saved"]
COLLAPSE = next(claim for claim in load_claims() if claim.id == "unilateral_gate").parts[0]
AVG = next(claim for claim in load_claims() if claim.id == "above_grpo").parts[0]
LOGS = SimpleNamespace(analysis=SimpleNamespace(statistics=Settings(199, 0.95, 0), ours=("maspo",)))


def steps(value, half, seeds=3):
    return Effect("x", value, value - half, value + half, "steps", seeds)


def students(seeds):
    return t.ppf(0.975, seeds - 1) / math.sqrt(seeds)


@pytest.mark.parametrize(
    ("value", "half", "wanted"),
    [
        (0.0, 7.0, 3.0),  # on the bound: until negligible, the margin being 3
        (1.0, 7.0, 2.0),  # nearer to the margin
        (2.0, 7.0, 2.0),  # as near to both
        (2.5, 7.0, 2.5),  # farther from the bound: until above it
        (-9.0, 20.0, 9.0),
    ],
)
def test_seeds_are_the_fewest_that_leave_bound_or_margin(value, half, wanted):
    found = seeds_to_decide(LOGS, STEPS_SAVED, steps(value, half))
    reached = [half * students(seeds) / students(3) for seeds in (found - 1, found)]
    assert reached[0] >= wanted > reached[1]


def test_an_interval_that_is_not_symmetric_is_narrowed_as_it_is():
    found = Effect("x", 0.5, -1.0, 6.5, "steps", 3)  # only the upper end is beyond the margin
    seeds = seeds_to_decide(LOGS, STEPS_SAVED, found)
    ends = [0.5 + 6 * students(n) / students(3) for n in (seeds - 1, seeds)]
    assert ends[0] >= 3 > ends[1]


@pytest.mark.parametrize(
    ("effect", "seeds"),
    [
        (steps(0.0, 40.0), None),  # a tenth of it takes more than a hundred seeds
        (steps(1e-3, 1.0, seeds=1), 2),
        (steps(float("nan"), float("nan")), None),
    ],
)
def test_no_number_is_named_where_there_is_none(effect, seeds):
    assert seeds_to_decide(LOGS, STEPS_SAVED, effect) == seeds


def test_an_effect_on_an_equivalence_margin_is_never_decided():
    part = PARTS["largest_shift"]
    effect = Effect("x", part.bound, 0.01, 0.03, "fraction", 3)
    assert part.margin is None
    assert seeds_to_decide(LOGS, part, effect) is None


def test_collapse_rates_are_projected_by_their_own_interval(monkeypatch):
    """Shares of 0 leave the margin of a tenth with 26 runs: 1.96 sqrt(54 / 28^3) < 0.1."""
    data = SimpleNamespace(
        **vars(LOGS),
        study=SimpleNamespace(name="gate", seeds=3, variants=("sapo", "sapo_unilateral")),
    )
    monkeypatch.setattr(statistics, "fates", lambda *_: [SimpleNamespace(collapsed=False)] * 3)
    effect = COLLAPSE.statistic.effect(data)
    assert seeds_to_decide(data, COLLAPSE, effect) == 26


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Return a study of two methods that are equally good, each on other problems."""
    skills = {"grpo": Skill(0.7, 0.4, spread=0.03), "maspo": Skill(0.72, 0.38, spread=0.03)}
    layout = make_runs(tmp_path_factory.mktemp("runs"), skills, samples=8)
    return study_data(layout, list(skills))


def test_differences_of_avg_follow_the_plan_of_their_pair(data):
    effect = AVG.statistic.effect(data)
    part = replace(AVG, margin=0.005)
    assert effect.pair == ("maspo", "grpo")
    parts = variance_components(data.outcomes("maspo"), data.outcomes("grpo"))
    now = plan(parts, 1.0, [3], [8])["half_width"].iloc[0]
    wanted = max(abs(effect.value), part.margin - abs(effect.value))
    wanted *= now / (effect.high - effect.value)  # the plan's width is not quite the bootstrap's
    (row,) = plan(parts, wanted, range(4, 101), [8]).itertuples()
    assert row.seeds > 4
    assert seeds_to_decide(data, part, effect) == row.seeds


def told(correct, other):
    """Return a study of two variants with these outcomes, (seeds, problems, samples)."""
    named = (("x", correct), ("y", other))
    known = {name: Outcomes(x, ("a",) * x.shape[1]) for name, x in named}

    def compared(pairs, level):
        return comparisons(known, pairs, Settings(9999, level, 0))

    return SimpleNamespace(**vars(LOGS), outcomes=known.get, comparisons=compared)


def width(data, metric):
    effect = Effect("x", 0.0, -0.1, 0.1, "fraction", 4, pair=("x", "y"))
    at = narrowing(data, effect, metric)
    return at(16) / at(4)


@pytest.mark.parametrize("metric", ["best", "pass"])
def test_only_what_varies_between_seeds_shrinks(metric):
    none = np.zeros((4, 40, 8), bool)
    seeds, problems, both = none.copy(), none.copy(), none.copy()
    seeds[::2] = True  # two seeds solve all, two none
    problems[:, :20] = True
    both[:, :20] = True
    both[0, 20:30] = True
    assert width(told(seeds, none), metric) == pytest.approx(students(16) / students(4), abs=0.03)
    assert width(told(problems, none), metric) == pytest.approx(1.0)
    assert students(16) / students(4) < width(told(both, none), metric) < 0.98
    assert width(told(none, none), metric) == 1.0  # the bound comes from the number of problems


def test_avg_that_does_not_vary_is_not_planned():
    same = np.ones((4, 40, 8), bool)
    assert width(told(same, same), "avg") == 1.0


def test_the_seeds_of_the_full_suite_are_set_by_an_override_that_works(data):
    suite = suite_of(data, experiment=replace(settings(), suite="full"))
    words = shlex.split(more_seeds(suite, AVG, "main", 12))
    assert words[:5] == ["snakemake", "--cores", "all", "full", "--config"]
    config = dict(word.split("=", 1) for word in words[5:])
    overrides = [f"scale={config['scale']}", *shlex.split(config["overrides"])]
    studies = load_suite(load_experiment(overrides), "full")
    assert load_experiment(overrides).results == suite.experiment.results
    assert studies["main"].seeds == 12
    assert studies["alpha"].seeds == load_experiment(["scale=mini"]).full["alpha"]


def test_the_seeds_of_the_default_suite_are_a_key_of_the_workflow(data):
    plain = suite_of(data, experiment=load_experiment(["scale=mini"]))
    command = more_seeds(plain, AVG, "main", 12)
    assert command == "snakemake --cores all --config scale=mini studies=main seeds=12"
    assert load_suite(load_experiment(["scale=mini", "studies=[main]", "seeds=12"]))["main"].seeds
    paper = next(claim for claim in load_claims() if claim.id == "model_sizes").parts[1]
    command = more_seeds(suite_of(data), paper, "main", 12)
    assert command == "snakemake --cores all --config scale=paper_7b studies=main seeds=12"


@pytest.mark.parametrize(("margin", "decided"), [(0.005, True), (0.0001, False)])
def test_readers_are_told_the_runs_that_would_decide(data, margin, decided):
    suite = suite_of(data)
    claim = next(claim for claim in load_claims() if claim.id == "above_grpo")
    claim = replace(claim, parts=(replace(AVG, margin=margin),))
    verdicts = judge_claims(suite, [claim])
    ((part,),) = [entry["parts"] for entry in claims_json(suite, verdicts)["claims"]]
    text = claims_markdown(suite, verdicts)
    assert (part["verdict"], part["margin"]) == ("inconclusive", margin)
    if not decided:
        assert part["command"] is None
        assert "not even 100 seeds of each method would" in text
        return
    seeds = part["command"].partition("seeds=")[2].split()[0]
    assert f"{seeds} seeds of each method would, if the effect stays" in part["reasoning"]
    assert f" To decide it: `{part['command']}`" in text


@pytest.mark.parametrize(("truth", "least", "most"), [(0.0, 0.32, 0.52), (4.0, 0.55, 0.75)])
def test_the_seeds_named_decide_about_every_other_time(truth, least, most):
    """The spread that three seeds show is uncertain, and so is the number (docs/claims.md)."""
    rng, ends = np.random.default_rng(0), []
    for _ in range(300):
        values = rng.normal(truth, 5.0, 3)
        effect = Effect("x", *map(float, seed_mean(values, 0.95)), "steps", 3)
        if judge(effect, 0.0, None, STEPS_SAVED.margin) is not Ruling.INCONCLUSIVE:
            continue
        if seeds := seeds_to_decide(LOGS, STEPS_SAVED, effect):
            values = np.append(values, rng.normal(truth, 5.0, seeds - 3))
            again = Effect("x", *map(float, seed_mean(values, 0.95)), "steps", seeds)
            ends.append(judge(again, 0.0, None, STEPS_SAVED.margin) is not Ruling.INCONCLUSIVE)
    assert least < np.mean(ends) < most
