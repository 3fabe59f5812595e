"""The miniature task: evaluate ``k+3*5?`` from left to right, modulo 31, one step a pair.

A residue is one character (``0`` to ``9``, ``a`` to ``u``). A completion writes every step once:
``+3=n*5=m``; its answer is the last residue. A benchmark is a length (the number of terms), so
difficulty grows with the number of steps. docs/miniature.md says why the task is made so.
"""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from maspo.config import ModularTask
from maspo.config.task import RESIDUES
from maspo.errors import DataError
from maspo.seeding import numpy_generator
from maspo.tasks.facts import Fact, apply, facts_csv, make_facts
from maspo.tasks.problems import Problem, TaskData

FACTS = "facts.csv"
STEP = re.compile(rf"([+*])([{RESIDUES}])=([{RESIDUES}])")
STEPS = re.compile(f"(?:{STEP.pattern})*")  # those that a completion begins with


def solve(question: str, task: ModularTask) -> str:
    """Return the gold answer, one residue; DataError if the text is no question of this task."""
    known = re.escape("".join(task.operators)), "".join(task.operands)
    if not re.fullmatch(rf"[{RESIDUES[: task.modulus]}](?:[{known[0]}][{known[1]}])+\?", question):
        raise DataError(f"{question!r} is no question such as 'k+3*5?'")
    state = question[0]
    for operator, operand in zip(question[1:-1:2], question[2:-1:2], strict=True):
        state = apply(state, operator, operand, task.modulus)
    return state


def attempted(start: str, completion: str) -> Iterator[tuple[str, str]]:
    """Yield (fact, stated result) of each step of a completion, such as ``("k+3", "n")``.

    `start` is the first residue of the question; from then on a step begins at what the one before
    stated, right or wrong. The first text that is no step ends it.
    """
    place = 0
    while step := STEP.match(completion, place):
        operator, operand, result = step.groups()
        yield start + operator + operand, result
        start, place = result, step.end()


def right_steps(task: ModularTask, question: str, completion: str) -> float:
    """Return the share of a question's steps that a wrong completion does before its first error.

    It is below 1: where every step is right and the answer is not, what follows the steps is wrong,
    and the last step does not count.
    """
    steps, right, state = (len(question) - 2) // 2, 0, question[0]
    for (fact, stated), operator, operand in zip(
        attempted(state, completion), question[1:-1:2], question[2:-1:2], strict=False
    ):
        result = apply(state, operator, operand, task.modulus)
        if (fact, stated) != (state + operator + operand, result):
            break
        right, state = right + 1, result
    return min(right, steps - 1) / steps


def draw_question(length: int, facts: Sequence[Fact], rng: np.random.Generator) -> str:
    """Return a question of `length` terms, each step any of the `facts` of its residue."""
    by_left: dict[str, list[Fact]] = {}
    for fact in facts:
        by_left.setdefault(fact.left, []).append(fact)
    residues = sorted(by_left)
    state = question = residues[rng.integers(len(residues))]
    for _ in range(length - 1):
        fact = by_left[state][rng.integers(len(by_left[state]))]
        question += fact.operator + fact.operand
        state = fact.result
    return f"{question}?"


def make_benchmarks(task: ModularTask, facts: Sequence[Fact]) -> dict[str, list[Problem]]:
    """Return the benchmarks by name: distinct problems over all facts, the same for every run."""
    benchmarks = {}
    for name, length in zip(task.benchmarks, task.benchmark_lengths, strict=True):
        rng = numpy_generator(task.seed, "benchmark", length)
        questions: dict[str, None] = {}
        while len(questions) < task.benchmark_problems:
            questions[draw_question(length, facts, rng)] = None
        benchmarks[name] = [Problem.create(q, solve(q, task), name) for q in questions]
    return benchmarks


def make_training(
    task: ModularTask, name: str, facts: Sequence[Fact], taken: set[str]
) -> list[Problem]:
    """Return training problems over `facts`, lengths in turn, none with an id in `taken`.

    Short questions repeat (there are 310 of two terms); that is sampling with replacement.
    """
    rng = numpy_generator(task.seed, name)
    problems: list[Problem] = []
    while len(problems) < task.train_problems:
        length = task.train_lengths[len(problems) % len(task.train_lengths)]
        question = draw_question(length, facts, rng)
        problem = Problem.create(question, solve(question, task), "modular")
        if problem.id not in taken:
            problems.append(problem)
    return problems


def make_modular(task: ModularTask) -> TaskData:
    """Return training problems, benchmarks and the table of facts.

    No benchmark problem is a training problem. The benchmarks ask for all facts; the training
    problems avoid those that are held out, the lessons do not.
    """
    facts = make_facts(task)
    benchmarks = make_benchmarks(task, facts)
    taken = {problem.id for problems in benchmarks.values() for problem in problems}
    shown = [fact for fact in facts if not fact.held_out]
    return TaskData(
        make_training(task, "train", shown, taken),
        benchmarks,
        others={task.lessons: make_training(task, task.lessons, facts, taken)},
        texts={FACTS: facts_csv(facts)},
        seeds={"task": task.seed},
    )
