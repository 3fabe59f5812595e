"""The six real benchmarks, where they are (`benchmark_files`)."""

from pathlib import Path

import pytest

from benchmark_files import BENCHMARKS, DIRECTORY, NEEDED
from maspo.config import load_experiment
from maspo.steps.prompts import prompts
from maspo.tasks.decontaminate import contaminated_ids, find_matches
from maspo.tasks.hub_task import load_benchmarks
from maspo.verifier import extract

pytestmark = NEEDED
COUNTS = dict(zip(BENCHMARKS, (30, 30, 40, 500, 272, 675), strict=True))
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def experiment():
    return load_experiment(["scale=gpu", f"task.benchmark_files={DIRECTORY}"])


@pytest.fixture(scope="module")
def benchmarks(experiment):
    return load_benchmarks(experiment.task)[0]


def test_every_problem_is_there_once(benchmarks):
    assert {name: len(c.problems) for name, c in benchmarks.items()} == COUNTS
    assert {name: c.rows for name, c in benchmarks.items()} == COUNTS
    assert not any(c.conflicts for c in benchmarks.values())
    assert len({key for c in benchmarks.values() for key in c.problems}) == sum(COUNTS.values())


def test_answers_are_in_the_form_of_their_benchmark(benchmarks):
    for name in ("aime24", "aime25", "amc23"):
        for problem in benchmarks[name].problems.values():
            assert str(int(problem.answer)) == problem.answer.lstrip("0"), problem
    for collection in benchmarks.values():
        for problem in collection.problems.values():
            assert problem.answer == problem.answer.strip() != ""
            assert extract(f"so \\boxed{{{problem.answer}}}.", ["boxed"]) == problem.answer


def test_one_instruction_stands_in_every_prompt(benchmarks, experiment):
    instruction = experiment.task.template.removeprefix("{problem}")
    for collection in benchmarks.values():
        for key, problem in collection.problems.items():
            content = problem.messages[0]["content"]
            assert content == collection.bare[key] + instruction
            assert "boxed{}" not in collection.bare[key]


def test_the_docs_show_one_prompt_of_each(experiment, capsys):
    prompts(experiment)
    shown = capsys.readouterr().out
    assert shown.count("### ") == len(BENCHMARKS)
    assert shown.strip() in (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def test_a_benchmark_in_training_is_found_and_nothing_else(benchmarks):
    training = {f"copy of {key}": text.upper() for key, text in benchmarks["aime24"].bare.items()}
    held_out = {name: c.bare for name, c in benchmarks.items()}
    matches = find_matches(training, held_out, 13, 0.5)
    exact = {(m.training_id, f"copy of {m.benchmark_id}") for m in matches if m.exact}
    assert exact == {(key, key) for key in training}
    assert {m.benchmark for m in matches if m.contaminated} == {"aime24"}
    assert contaminated_ids(matches) == set(training)
