"""What a kind of task declares in its settings and in its functions agrees."""

import numpy as np
import pytest

from maspo.config import load_experiment
from maspo.config.schema import TASKS as SETTINGS
from maspo.tasks import Lessons
from maspo.tasks.facts import demonstrate, draw_knowledge, knowledge_csv, make_facts
from maspo.tasks.kinds import TASKS, task_kind
from miniature import TASK


def test_every_kind_of_settings_has_its_functions():
    assert set(TASKS) == set(SETTINGS.values())


@pytest.mark.parametrize("settings", list(SETTINGS.values()))
def test_a_kind_teaches_if_its_settings_name_the_lessons(settings):
    assert (settings.lessons is not None) == (TASKS[settings].teach is not None)


@pytest.mark.parametrize("settings", list(SETTINGS.values()))
def test_a_kind_credits_steps_if_its_settings_say_that_it_has_some(settings):
    assert settings.has_steps == (TASKS[settings].credit is not None)


def test_a_repeatable_task_makes_the_same_problems_again_and_the_lessons_among_them():
    kind = task_kind(TASK)
    made = kind.make(TASK)
    assert kind.repeatable
    assert kind.make(TASK) == made
    assert sorted(["train", *made.others]) == sorted(TASK.training_files)
    assert TASK.lessons in made.others
    assert list(made.benchmarks) == TASK.benchmarks
    assert list(made.texts) == TASK.reports


def test_lessons_are_the_demonstrations_of_the_seed():
    settings, facts = load_experiment(["scale=smoke"]).model.supervised, make_facts(TASK)
    lessons = [task_kind(TASK).teach(TASK, settings, seed) for seed in (3, 3, 4)]
    assert isinstance(lessons[0], Lessons)
    assert lessons[0].table == lessons[1].table != lessons[2].table
    knowledge = draw_knowledge(TASK, facts, settings, 3)
    assert lessons[0].table == knowledge_csv(facts, knowledge)
    question = "k+3*5+2*4?"
    given = [lesson.demonstrate(question, np.random.default_rng(5)) for lesson in lessons]
    rng = np.random.default_rng(5)
    assert given[0] == given[1] == demonstrate(question, knowledge, settings, TASK.modulus, rng)
