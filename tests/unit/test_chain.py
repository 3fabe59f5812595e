"""The miniature task: right answers, honest noise, no benchmark problem in training."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.config import load_experiment
from maspo.errors import DataError
from maspo.seeding import numpy_generator
from maspo.tasks import Problem, read_problems, write_problems
from maspo.tasks.chain import (
    CHARACTERS,
    demonstrate,
    draw_question,
    make_benchmarks,
    make_training,
    parse,
    solve,
)
from maspo.verifier import extract

QUESTIONS = st.builds(
    lambda first, rest: f"{first}{''.join(op + str(term) for op, term in rest)}?",
    st.integers(0, 9),
    st.lists(st.tuples(st.sampled_from("+-*"), st.integers(0, 9)), min_size=1, max_size=8),
)


def by_brackets(question):
    """Solve with Python's own arithmetic: brackets force the order from left to right."""
    terms, operators = parse(question)
    expression = str(terms[0])
    for operator, term in zip(operators, terms[1:], strict=True):
        expression = f"({expression}{operator}{term})"
    return str(eval(expression) % 10)


@given(QUESTIONS)
def test_answers_are_right(question):
    assert solve(question) == by_brackets(question)


def test_the_example_of_the_design():
    assert solve("3+7*2-5?") == "5"
    assert demonstrate("3+7*2-5?", 0.0, np.random.default_rng(0)) == "3+7=0;0*2=0;0-5=5#5"


@given(QUESTIONS, st.integers(0, 1000))
def test_demonstrations_carry_their_errors_on(question, seed):
    text = demonstrate(question, 0.5, np.random.default_rng(seed))
    steps = text.split("#")[0].split(";")
    assert all(step[0] == before[-1] for before, step in pairwise(steps))
    assert extract(text, ["hash"]) == steps[-1][-1]
    assert set(text) <= set(CHARACTERS)


def test_share_of_wrong_steps_is_the_error_rate():
    rng = numpy_generator(0, "error rate")
    wrong = total = 0
    for _ in range(2000):
        for step in demonstrate(draw_question(5, rng), 0.25, rng).split("#")[0].split(";"):
            wrong += solve(step[:3] + "?") != step[-1]
            total += 1
    assert abs(wrong / total - 0.25) < 4 * (0.25 * 0.75 / total) ** 0.5


def test_no_benchmark_problem_is_ever_in_training():
    task = load_experiment(["scale=mini"]).task
    benchmarks = make_benchmarks(task)
    held_out = {problem.id for problems in benchmarks.values() for problem in problems}
    training = make_training(task, held_out)
    questions = {p.messages for problems in benchmarks.values() for p in map(freeze, problems)}
    assert len(training) == task.train_problems
    assert not held_out & {problem.id for problem in training}
    assert not questions & {freeze(problem).messages for problem in training}
    assert [len(problems) for problems in benchmarks.values()] == [task.benchmark_problems] * 6
    assert len(held_out) == 6 * task.benchmark_problems
    lengths = {len(parse(p.messages[0]["content"])[0]) for p in training}
    assert lengths == set(task.train_lengths)


def freeze(problem):
    """Return a problem whose messages can be compared in a set."""
    return Problem(problem.id, problem.messages[0]["content"], problem.answer, problem.source)


def test_data_depend_on_the_seed_alone():
    task = load_experiment(["scale=smoke"]).task
    other = load_experiment(["scale=smoke", "task.seed=1"]).task
    assert make_benchmarks(task) == make_benchmarks(task)
    assert make_training(task, set()) == make_training(task, set())
    assert make_benchmarks(task) != make_benchmarks(other)


def test_too_large_a_benchmark_is_refused():
    task = load_experiment(["scale=smoke", "task.benchmark_problems=200"]).task
    with pytest.raises(DataError, match="150"):
        make_benchmarks(task)


def test_problems_survive_the_file(tmp_path, modular_problems):
    path = tmp_path / "problems.parquet"
    write_problems(path, modular_problems)
    assert read_problems(path) == modular_problems
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"problems\.parquet"):
        read_problems(path)
    with pytest.raises(DataError, match=r"absent\.parquet"):
        read_problems(tmp_path / "absent.parquet")
