"""Small word problems of one or two operations, for a language model of 135M parameters.

A completion is to give the sum and its boxed answer: ``8+9=17 \\boxed{17}``. No question is in two
of the files: benchmarks, lessons of the base policy, problems of RL.
"""

import numpy as np
import pandas as pd

from maspo.config import Supervised, WordsTask
from maspo.errors import ConfigError
from maspo.inert import csv
from maspo.seeding import numpy_generator
from maspo.tasks.problems import Lessons, Problem, TaskData

NAMES = ("Tom", "Anna", "Ben", "Mia", "Sam", "Lily", "Max", "Eva", "Leo", "Zoe")
THINGS = ("apples", "coins", "books", "cards", "shells", "pens", "cookies", "marbles")
Drawn = tuple[str, str, int]  # question, sum, answer


def draw(steps: str, rng: np.random.Generator) -> Drawn:
    """Return a question of ``one_step`` or ``two_steps`` on numbers below 10."""
    n, t = rng.choice(NAMES), rng.choice(THINGS)
    a, b, c = (int(number) for number in rng.integers(2, 10, 3))
    more, fewer, both, lost = max(a, b) + c, min(a, b), a + b, min(c, a * b)
    kinds = {
        "one_step": [
            (f"{n} has {a} {t} and gets {b} more. How many {t} does {n} have now?", f"{a}+{b}"),
            (
                f"{n} had {more} {t} and gave away {fewer}. How many {t} are left?",
                f"{more}-{fewer}",
            ),
            (f"{n} has {a} bags with {b} {t} in each. How many {t} is that in all?", f"{a}*{b}"),
        ],
        "two_steps": [
            (
                f"{n} has {a} {t}, finds {b} and then {c}. How many {t} does {n} have?",
                f"{a}+{b}+{c}",
            ),
            (
                f"{n} has {both} {t}, gives away {b} and buys {c}. How many {t} are there?",
                f"{both}-{b}+{c}",
            ),
            (
                f"{n} buys {a} boxes of {b} {t} and loses {lost}. How many {t} are left?",
                f"{a}*{b}-{lost}",
            ),
        ],
    }
    values = {
        "one_step": (a + b, more - fewer, a * b),
        "two_steps": (a + b + c, a + c, a * b - lost),
    }
    kind = rng.integers(len(values[steps]))
    return *kinds[steps][kind], values[steps][kind]


def draw_all(task: WordsTask) -> dict[str, list[Drawn]]:
    """Return the distinct questions of each file; training and lessons are half of one step."""
    files: dict[str, list[Drawn]] = {"lessons": [], "train": []}
    for i, steps in enumerate(task.benchmarks):
        rng = numpy_generator(task.seed, "words", steps)
        parts = {
            steps: task.benchmark_problems,
            "lessons": (task.lesson_problems + i) // 2,
            "train": (task.train_problems + i) // 2,
        }
        found: dict[str, Drawn] = {}
        while len(found) < sum(parts.values()):
            drawn = draw(steps, rng)
            found[drawn[0]] = drawn
        rest = iter(found.values())
        for name, count in parts.items():
            files.setdefault(name, []).extend(next(rest) for _ in range(count))
    return files


def make_words(task: WordsTask) -> TaskData:
    """Return the problems of RL, the benchmarks and the lessons."""
    problems = {
        name: [Problem.create(question, str(answer), name) for question, _, answer in drawn]
        for name, drawn in draw_all(task).items()
    }
    training, lessons = problems.pop("train"), problems.pop("lessons")
    return TaskData(training, problems, others={"lessons": lessons}, seeds={"task": task.seed})


def teach_words(task: WordsTask, settings: Supervised, seed: int) -> Lessons:
    """Return the demonstrations, all of them right and the same for every seed, and their table.

    Raises:
        ConfigError: `settings.knowledge`, which is for tasks whose demonstrations may be wrong.
    """
    if settings.knowledge is not None:
        raise ConfigError(
            f"model.supervised.knowledge={settings.knowledge}: demonstrations of task.kind=words "
            "are right, set model.supervised.knowledge=null"
        )
    lessons = draw_all(task)["lessons"]
    shown = {question: rf"{sum_}={answer} \boxed{{{answer}}}" for question, sum_, answer in lessons}
    table = pd.DataFrame({"question": shown.keys(), "demonstration": shown.values()})
    return Lessons(lambda question, rng: shown[question], csv(table))
