"""The miniature task: right answers, uneven knowledge, no benchmark problem in training."""

import csv
import io
from collections import Counter
from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maspo.config import load_experiment
from maspo.config.task import RESIDUES
from maspo.errors import DataError
from maspo.seeding import numpy_generator
from maspo.tasks import read_problems, write_problems
from maspo.tasks.facts import (
    demonstrate,
    draw_knowledge,
    facts_csv,
    knowledge_csv,
    make_facts,
)
from maspo.tasks.modular import draw_question, make_modular, right_steps, solve
from maspo.verifier import Verdict, Verifier, extract
from miniature import TASK

FACTS = make_facts(TASK)
SUPERVISED = load_experiment(["scale=smoke"]).model.supervised
KNOWLEDGE = draw_knowledge(TASK, FACTS, SUPERVISED, seed=1)
SURE = {name: replace(known, right=1.0) for name, known in KNOWLEDGE.items()}
QUESTIONS = st.builds(
    lambda first, rest: f"{first}{''.join(rest)}?",
    st.sampled_from(RESIDUES[: TASK.modulus]),
    st.lists(st.sampled_from([f.operator + f.operand for f in FACTS]), min_size=1, max_size=8),
)


def by_brackets(question):
    """Solve with Python's own arithmetic: brackets force the order from left to right."""
    expression = str(int(question[0], 36))
    for operator, operand in zip(question[1:-1:2], question[2:-1:2], strict=True):
        expression = f"({expression}{operator}{int(operand, 36)})"
    return eval(expression) % 31


def path(question):
    """Return the facts that the right way through a question meets."""
    state, met = question[0], []
    for operator, operand in zip(question[1:-1:2], question[2:-1:2], strict=True):
        met.append(state + operator + operand)
        state = solve(f"{state}{operator}{operand}?", TASK)
    return met


def text_of(problem):
    return problem.messages[0]["content"]


@pytest.fixture(scope="module")
def made():
    """Return the problems of scale mini."""
    return make_modular(load_experiment(["scale=mini"]).task)


@given(QUESTIONS)
def test_answers_are_right(question):
    assert int(solve(question, TASK), 36) == by_brackets(question)


@pytest.mark.parametrize(
    ("completion", "share"),
    [
        ("", 0),
        ("+3=0*5=m", 0),  # a right result by way of a wrong one
        ("+3=n", 1 / 3),
        ("+3=n*5=0+2=2", 1 / 3),
        ("+3=n*5=m+2=0", 2 / 3),
        ("+3=n*5=m*2=d", 2 / 3),  # a step that was not asked for
        ("+3=n *5=m+2=o", 1 / 3),
        ("+3=n*5=m+2=o+2=q", 2 / 3),  # all right, and on: the answer is wrong
    ],
)
def test_credit_ends_at_the_first_error(completion, share):
    assert right_steps(TASK, "k+3*5+2?", completion) == share


@given(QUESTIONS, st.data())
def test_one_wrong_step_of_a_right_chain_is_worth_the_steps_before_it(question, data):
    steps = (len(question) - 2) // 2
    wrong = data.draw(st.integers(0, steps - 1))
    chain = demonstrate(question, SURE, SUPERVISED, TASK.modulus, np.random.default_rng(0))
    place = 4 * wrong + 3
    other = data.draw(st.sampled_from(RESIDUES[: TASK.modulus]).filter(chain[place].__ne__))
    broken = chain[:place] + other + chain[place + 1 :]
    assert right_steps(TASK, question, broken) == wrong / steps
    assert right_steps(TASK, question, chain) == (steps - 1) / steps


def test_the_example_of_the_design():
    """20 + 3 = 23, and 23 * 5 = 115 = 3 * 31 + 22."""
    assert solve("k+3*5?", TASK) == "m"
    rng = np.random.default_rng(0)
    assert demonstrate("k+3*5?", SURE, SUPERVISED, TASK.modulus, rng) == "+3=n*5=m"
    assert TASK.characters == "0123456789abcdefghijklmnopqrstu+*?="


@pytest.mark.parametrize("text", ["k+3*5", "k?", "+3?", "v+2?", "k+7?", "k-3?", "k+3?\n", "k++?"])
def test_a_text_that_is_no_question_is_refused(text):
    with pytest.raises(DataError, match="no question"):
        solve(text, TASK)


def test_an_operand_may_be_any_residue():
    """No character of them has a meaning of its own in the pattern of a question."""
    every = list(RESIDUES)
    task = replace(TASK, modulus=36, operands=every, held_out=0.0)
    for left, operand in product("0az", every):
        wanted = int(left, 36) * int(operand, 36) % 36
        assert solve(f"{left}*{operand}?", task) == RESIDUES[wanted]


@given(QUESTIONS, st.integers(0, 1000))
def test_a_demonstration_names_each_step_once_and_goes_on_from_its_result(question, seed):
    """Replayed by the facts and misconceptions alone, no step contradicts the one before."""
    chosen = replace(SUPERVISED, misconceived=1.0)
    text = demonstrate(question, KNOWLEDGE, chosen, TASK.modulus, np.random.default_rng(seed))
    assert len(text) == 2 * (len(question) - 2)
    assert set(text) <= set(TASK.characters)
    state = question[0]
    for i, step in enumerate(text[j : j + 4] for j in range(0, len(text), 4)):
        assert step[:2] == question[1 + 2 * i : 3 + 2 * i]
        assert step[2] == "="
        fact = state + step[:2]
        assert step[3] in {solve(f"{fact}?", TASK), KNOWLEDGE[fact].misconception}
        state = step[3]
    assert extract(text, ["equals"]) == state


@pytest.mark.parametrize("misconceived", [0.0, 0.5, 1.0])
def test_shares_of_right_and_misconceived_steps_are_those_of_the_fact(misconceived):
    """4.5 standard errors each; 2 is far enough from 0 and 1 for one of them to be wrong."""
    chosen, draws = replace(SUPERVISED, misconceived=misconceived), 4000
    uncertain = [f for f in FACTS if 0.2 < KNOWLEDGE[f.question].right < 0.8][:4]
    assert len(uncertain) == 4
    for fact in uncertain:
        rng, known = numpy_generator(0, "shares", fact.question), KNOWLEDGE[fact.question]
        results = Counter(
            demonstrate(f"{fact.question}?", KNOWLEDGE, chosen, TASK.modulus, rng)[-1]
            for _ in range(draws)
        )
        wrong = 1 - known.right
        # A misconception is also drawn where any of the 30 wrong residues may come.
        stuck = wrong * (misconceived + (1 - misconceived) / 30)
        for result, share in ((fact.result, known.right), (known.misconception, stuck)):
            error = (share * (1 - share) / draws) ** 0.5
            assert abs(results[result] / draws - share) < 4.5 * error
        others = results.keys() - {fact.result, known.misconception}
        assert len(others) == (0 if misconceived == 1 else 29)


def test_facts_are_all_there_and_right():
    wanted = list(product(RESIDUES[:31], "+*", "23456"))
    assert [(f.left, f.operator, f.operand) for f in FACTS] == wanted
    for fact in FACTS:
        assert int(fact.result, 36) == by_brackets(f"{fact.question}?")


@pytest.mark.parametrize(("held_out", "hidden"), [(0.0, 0), (0.3, 3), (0.9, 9)])
def test_each_residue_keeps_the_same_number_of_facts(held_out, hidden):
    facts = make_facts(replace(TASK, held_out=held_out, benchmark_problems=1))
    counts = Counter(fact.left for fact in facts if fact.held_out)
    assert set(counts.values()) == ({hidden} if hidden else set())
    if hidden:
        assert set(counts) == set(RESIDUES[:31])
        assert len({(f.operator, f.operand) for f in facts if f.held_out}) == 10


def test_held_out_facts_are_never_met_in_training_but_in_the_benchmarks(made):
    hidden = {fact.question for fact in FACTS if fact.held_out}
    trained = {fact for problem in made.training for fact in path(text_of(problem))}
    everything = {fact for problem in made.others["all"] for fact in path(text_of(problem))}
    assert trained == {fact.question for fact in FACTS} - hidden
    assert everything == trained | hidden
    for problems in made.benchmarks.values():
        assert hidden & {fact for problem in problems for fact in path(text_of(problem))}
    met = {fact for ps in made.benchmarks.values() for p in ps for fact in path(text_of(p))}
    assert len(hidden & met) > 0.9 * len(hidden)


def test_no_benchmark_problem_is_ever_in_training(made):
    task = load_experiment(["scale=mini"]).task
    asked = [text_of(problem) for problems in made.benchmarks.values() for problem in problems]
    assert list(made.benchmarks) == [f"terms{length}" for length in range(2, 8)]
    assert [len(problems) for problems in made.benchmarks.values()] == [100] * 6
    assert len(set(asked)) == 6 * 100
    for problems in (made.training, made.others["all"]):
        assert len(problems) == task.train_problems
        assert not set(asked) & {text_of(problem) for problem in problems}
        lengths = Counter(len(text_of(problem)) // 2 for problem in problems)
        assert set(lengths) == set(task.train_lengths)
        assert max(lengths.values()) - min(lengths.values()) <= 1
    for name, problems in made.benchmarks.items():
        assert {len(text_of(problem)) // 2 for problem in problems} == {int(name[-1])}
        assert {problem.source for problem in problems} == {name}
    for problem in (*made.training[:500], *made.benchmarks["terms7"]):
        assert int(problem.answer, 36) == by_brackets(text_of(problem))


def test_prompts_and_demonstrations_fit_their_limits(made):
    longest = max(made.others["all"], key=lambda problem: len(text_of(problem)))
    assert len(text_of(longest)) == TASK.max_prompt_tokens
    rng = np.random.default_rng(0)
    text = demonstrate(text_of(longest), KNOWLEDGE, SUPERVISED, TASK.modulus, rng)
    assert len(text) + 1 == TASK.max_completion_tokens  # with the end token


def test_data_depend_on_the_seed_alone():
    one, again, other = map(make_modular, (TASK, TASK, replace(TASK, seed=1)))
    assert one == again
    assert one.seeds == {"task": TASK.seed}
    assert one.benchmarks != other.benchmarks
    assert one.training != other.training
    assert one.others != other.others
    assert one.texts != other.texts  # other facts are held out
    # A benchmark does not depend on how many problems are trained on.
    assert make_modular(replace(TASK, train_problems=6)).benchmarks == one.benchmarks


def test_base_policies_know_what_their_seed_says():
    again, other = (draw_knowledge(TASK, FACTS, SUPERVISED, seed) for seed in (1, 2))
    assert again == KNOWLEDGE
    same = [name for name in KNOWLEDGE if KNOWLEDGE[name] == other[name]]
    assert same == []
    wrong = [
        name for name in KNOWLEDGE if KNOWLEDGE[name].misconception != other[name].misconception
    ]
    assert len(wrong) > 0.9 * len(KNOWLEDGE)
    for fact in FACTS:
        assert KNOWLEDGE[fact.question].misconception in set(RESIDUES[:31]) - {fact.result}


def test_knowledge_is_spread_as_the_beta_distribution_says():
    """Mean a / (a + b) and its share of facts that are known, over thirty policies."""
    a, b = SUPERVISED.knowledge
    rights = np.array(
        [
            [known.right for known in draw_knowledge(TASK, FACTS, SUPERVISED, seed).values()]
            for seed in range(30)
        ]
    )
    std = (a * b / ((a + b) ** 2 * (a + b + 1))) ** 0.5
    assert abs(rights.mean() - a / (a + b)) < 4.5 * std / rights.size**0.5
    assert rights.std() == pytest.approx(std, rel=0.03)
    assert ((rights > 0.1) & (rights < 0.9)).mean() > 0.4


def test_the_tables_tell_every_fact_as_it_is_taught():
    rows = list(csv.DictReader(io.StringIO(knowledge_csv(FACTS, KNOWLEDGE))))
    plain = list(csv.DictReader(io.StringIO(facts_csv(FACTS))))
    assert len(rows) == len(plain) == len(FACTS) == 310
    for row, short, fact in zip(rows, plain, FACTS, strict=True):
        known = KNOWLEDGE[fact.question]
        assert (row["fact"], row["result"]) == (fact.question, fact.result)
        assert row["held_out"] == str(int(fact.held_out))
        assert float(row["right"]) == known.right
        assert row["misconception"] == known.misconception
        assert {name: row[name] for name in short} == short


def test_every_pair_of_residues_is_graded_rightly():
    pairs = list(product(RESIDUES, RESIDUES))
    with Verifier(rules=["equals"]) as verifier:
        found = verifier.grade_many([f"+3=z*2={a}" for a, _ in pairs], [b for _, b in pairs])
    wanted = [Verdict.CORRECT if a == b else Verdict.WRONG for a, b in pairs]
    assert found == wanted


def test_questions_go_on_from_each_residue_by_the_facts_that_are_shown():
    shown = [fact for fact in FACTS if not fact.held_out]
    rng = numpy_generator(0, "walk")
    questions = [draw_question(4, shown, rng) for _ in range(2000)]
    assert {len(question) for question in questions} == {8}
    assert {fact for question in questions for fact in path(question)} == {
        fact.question for fact in shown
    }


def test_problems_survive_the_file(tmp_path, modular_problems):
    file = tmp_path / "problems.parquet"
    write_problems(file, modular_problems)
    assert read_problems(file) == modular_problems
    file.write_bytes(file.read_bytes()[:-20])
    with pytest.raises(DataError, match=r"problems\.parquet"):
        read_problems(file)
    with pytest.raises(DataError, match=r"absent\.parquet"):
        read_problems(tmp_path / "absent.parquet")
