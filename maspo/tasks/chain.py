"""The miniature task: evaluate ``3+7*2-5?`` from left to right, modulo 10, one step a term.

A completion writes every step and then the answer: ``3+7=0;0*2=0;0-5=5#5``. A benchmark is a
chain length (the number of terms), so difficulty grows with the number of steps.
"""

import re

import numpy as np

from maspo.config import ChainTask
from maspo.errors import DataError
from maspo.seeding import numpy_generator
from maspo.tasks.problems import Problem, TaskData

OPERATORS = "+-*"
CHARACTERS = "0123456789" + OPERATORS + "?=;#"
QUESTION = re.compile(r"\d([-+*]\d)+\?")


def apply(left: int, operator: str, right: int) -> int:
    """Return ``left operator right`` modulo 10."""
    return {"+": left + right, "-": left - right, "*": left * right}[operator] % 10


def parse(question: str) -> tuple[list[int], str]:
    """Split a question into its terms and operators; DataError if it is not a chain."""
    if not QUESTION.fullmatch(question):
        raise DataError(f"{question!r} is not a chain such as '3+7*2-5?'")
    return [int(character) for character in question[:-1:2]], question[1:-1:2]


def solve(question: str) -> str:
    """Return the gold answer, one digit."""
    terms, operators = parse(question)
    value = terms[0]
    for operator, term in zip(operators, terms[1:], strict=True):
        value = apply(value, operator, term)
    return str(value)


def demonstrate(question: str, error_rate: float, rng: np.random.Generator) -> str:
    """Return a worked completion in which each step is wrong with probability `error_rate`.

    A wrong step writes one of the nine other digits and the chain goes on from it, so a
    demonstration may end at a wrong answer but never contradicts itself.
    """
    terms, operators = parse(question)
    value, steps = terms[0], []
    for operator, term in zip(operators, terms[1:], strict=True):
        result = apply(value, operator, term)
        if rng.random() < error_rate:
            result = (result + int(rng.integers(1, 10))) % 10
        steps.append(f"{value}{operator}{term}={result}")
        value = result
    return ";".join(steps) + f"#{value}"


def draw_question(length: int, rng: np.random.Generator) -> str:
    """Return a uniformly drawn question of `length` terms."""
    terms = rng.integers(0, 10, length)
    operators = rng.integers(0, len(OPERATORS), length - 1)
    rest = (f"{OPERATORS[op]}{term}" for op, term in zip(operators, terms[1:], strict=True))
    return f"{terms[0]}{''.join(rest)}?"


def make_benchmarks(task: ChainTask) -> dict[str, list[Problem]]:
    """Return the benchmarks by name: distinct problems, the same for every run."""
    benchmarks = {}
    for name, length in zip(task.benchmarks, task.benchmark_lengths, strict=True):
        rng = numpy_generator(task.seed, "benchmark", length)
        limit = 10**length * len(OPERATORS) ** (length - 1)
        if task.benchmark_problems > limit // 2:
            raise DataError(
                f"task.benchmark_problems={task.benchmark_problems}: only {limit} chains of "
                f"{length} terms exist and half stay for training; ask for {limit // 2} at most"
            )
        questions: dict[str, None] = {}
        while len(questions) < task.benchmark_problems:
            questions[draw_question(length, rng)] = None
        benchmarks[name] = [Problem.create(q, solve(q), name) for q in questions]
    return benchmarks


def make_training(task: ChainTask, held_out: set[str]) -> list[Problem]:
    """Return training problems, lengths in turn, none with an id in `held_out`.

    Short chains repeat (there are 300 of two terms); that is sampling with replacement.
    """
    rng = numpy_generator(task.seed, "train")
    problems: list[Problem] = []
    while len(problems) < task.train_problems:
        length = task.train_lengths[len(problems) % len(task.train_lengths)]
        question = draw_question(length, rng)
        problem = Problem.create(question, solve(question), "chain")
        if problem.id not in held_out:
            problems.append(problem)
    return problems


def make_chain(task: ChainTask) -> TaskData:
    """Return training problems and benchmarks with no problem in common.

    Raises:
        DataError: a benchmark problem is in training, or a benchmark is too large.
    """
    benchmarks = make_benchmarks(task)
    held_out = {problem.id for problems in benchmarks.values() for problem in problems}
    training = make_training(task, held_out)
    if leaked := held_out & {problem.id for problem in training}:
        raise DataError(f"benchmark problems in training: {sorted(leaked)}")
    return TaskData(training, benchmarks, seeds={"task": task.seed})
