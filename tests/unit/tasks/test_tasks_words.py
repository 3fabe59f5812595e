"""Word problems: the sums are right, the files share no question, and lessons show the form."""

import re

import pytest

from maspo.config import load_experiment
from maspo.errors import ConfigError
from maspo.seeding import numpy_generator
from maspo.tasks.kinds import task_kind
from maspo.tasks.words import draw

EXPERIMENT = load_experiment(["scale=smol"])
TASK = EXPERIMENT.task


@pytest.fixture(scope="module")
def data():
    return task_kind(TASK).make(TASK)


@pytest.mark.parametrize(("steps", "operations"), [("one_step", 1), ("two_steps", 2)])
def test_a_sum_has_the_numbers_of_its_question_and_gives_the_answer(steps, operations):
    for seed in range(300):
        question, sum_, answer = draw(steps, numpy_generator(seed, "test"))
        assert re.fullmatch(rf"\d+([-+*]\d+){{{operations}}}", sum_)
        assert re.findall(r"\d+", question) == re.findall(r"\d+", sum_)
        assert eval(sum_) == answer >= 0


def test_every_file_has_its_size_and_no_question_is_in_two(data):
    files = {"train": data.training, **data.others, **data.benchmarks}
    assert {name: len(problems) for name, problems in files.items()} == {
        "train": 2000,
        "lessons": 500,
        "one_step": 50,
        "two_steps": 50,
    }
    ids = [problem.id for problems in files.values() for problem in problems]
    assert len(ids) == len(set(ids))
    assert data.seeds == {"task": TASK.seed}


def test_an_odd_number_of_problems_is_kept():
    odd = ["scale=smol", "task.train_problems=7", "task.lesson_problems=3"]
    made = task_kind(TASK).make(load_experiment(odd).task)
    assert (len(made.training), len(made.others["lessons"])) == (7, 3)


def test_the_seed_draws_the_problems(data):
    again, other = (
        task_kind(task).make(task).training
        for task in (TASK, load_experiment(["scale=smol", "task.seed=1"]).task)
    )
    assert again == data.training
    assert not {problem.id for problem in other[:100]} <= {problem.id for problem in again}


def test_lessons_show_a_right_sum_and_a_boxed_answer(data):
    lessons = task_kind(TASK).teach(TASK, EXPERIMENT.model.supervised, 1)
    for problem in data.others["lessons"]:
        shown = lessons.demonstrate(problem.messages[0]["content"], numpy_generator(1))
        sum_, value, boxed = re.fullmatch(r"(\S+)=(\d+) \\boxed\{(\d+)\}", shown).groups()
        assert value == boxed == problem.answer == str(eval(sum_))
    assert lessons.table.splitlines()[0] == "question,demonstration"
    assert len(lessons.table.splitlines()) == 501


def test_characters_are_enough_for_a_policy_that_is_built(data):
    lessons = task_kind(TASK).teach(TASK, EXPERIMENT.model.supervised, 1)
    texts = [problem.messages[0]["content"] for problem in data.training]
    assert set("".join(texts) + lessons.table.replace("\n", "").replace('"', "")) <= set(
        TASK.characters
    )


def test_wrong_demonstrations_are_refused():
    settings = load_experiment(["scale=smol", "model.supervised.knowledge=[1,1]"]).model.supervised
    with pytest.raises(ConfigError, match=r"knowledge=\[1.*task.kind=words.*knowledge=null"):
        task_kind(TASK).teach(TASK, settings, 1)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("task.train_problems=9401", ["task.train_problems=9401", "at most 10000"]),
        ("task.lesson_problems=0", ["task.lesson_problems=0", "at least 1"]),
        ("model.supervised.misconceived=0.5", ["misconceived=0.5", "knowledge is null"]),
        ("train.problems=all", ["train.problems='all'", "['train', 'lessons']"]),
    ],
)
def test_bad_settings_are_refused(override, named):
    with pytest.raises(ConfigError) as error:
        load_experiment(["scale=smol", override])
    for word in named:
        assert word in str(error.value)
