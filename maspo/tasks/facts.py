"""The facts of the miniature task: which RL may see, and which a base policy knows.

A fact is one step of modular arithmetic, such as ``k+3=n``: residue, operator, operand, result.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from maspo.config import ModularTask, Supervised
from maspo.config.task import RESIDUES
from maspo.seeding import numpy_generator
from maspo.tasks.problems import Lessons


@dataclass(frozen=True)
class Fact:
    """``left operator operand = result``, each one character; `held_out`: never met in RL."""

    left: str
    operator: str
    operand: str
    result: str
    held_out: bool

    @property
    def question(self) -> str:
        """Such as ``k+3``."""
        return self.left + self.operator + self.operand


@dataclass(frozen=True)
class Known:
    """What the demonstrations of one base policy say about a fact."""

    right: float  # probability that a demonstration gives the right result
    misconception: str  # one wrong result, which half of the wrong demonstrations give


def apply(left: str, operator: str, operand: str, modulus: int) -> str:
    """Return ``left operator operand`` modulo `modulus`, as a character."""
    a, b = RESIDUES.index(left), RESIDUES.index(operand)
    return RESIDUES[(a + b if operator == "+" else a * b) % modulus]


def make_facts(task: ModularTask) -> list[Fact]:
    """Return all facts. Of each residue the same number is held out, drawn from the task's seed.

    So every residue keeps facts that RL may see, and paths of any length exist.
    """
    pairs = [(operator, operand) for operator in task.operators for operand in task.operands]
    facts = []
    for left in RESIDUES[: task.modulus]:
        order = numpy_generator(task.seed, "held out", left).permutation(len(pairs))
        hidden = {pairs[i] for i in order[task.kept_facts :]}
        for operator, operand in pairs:
            result = apply(left, operator, operand, task.modulus)
            facts.append(Fact(left, operator, operand, result, (operator, operand) in hidden))
    return facts


def draw_knowledge(
    task: ModularTask, facts: Sequence[Fact], settings: Supervised, seed: int
) -> dict[str, Known]:
    """Return what the base policy of a seed is taught, by the question of each fact.

    The probability of a right demonstration is drawn from a beta distribution, fact by fact; the
    misconception is one of the wrong residues.
    """
    rng = numpy_generator(task.seed, "knowledge", seed)
    beta = settings.knowledge
    rights = np.ones(len(facts)) if beta is None else rng.beta(*beta, size=len(facts))
    shifts = rng.integers(1, task.modulus, size=len(facts))
    return {
        fact.question: Known(float(right), _shifted(fact.result, int(shift), task.modulus))
        for fact, right, shift in zip(facts, rights, shifts, strict=True)
    }


def demonstrate(
    question: str,
    knowledge: dict[str, Known],
    settings: Supervised,
    modulus: int,
    rng: np.random.Generator,
) -> str:
    """Return a worked completion, each step as right as the demonstrations of its fact are.

    A wrong step gives the fact's misconception with probability `settings.misconceived`, else any
    wrong residue, and the chain goes on from it: it may end at a wrong answer but never
    contradicts itself.
    """
    state, steps = question[0], []
    for operator, operand in zip(question[1:-1:2], question[2:-1:2], strict=True):
        result = apply(state, operator, operand, modulus)
        known = knowledge[state + operator + operand]
        if rng.random() >= known.right:
            if rng.random() < settings.misconceived:
                result = known.misconception
            else:
                result = _shifted(result, int(rng.integers(1, modulus)), modulus)
        steps.append(f"{operator}{operand}={result}")
        state = result
    return "".join(steps)


def teach_modular(task: ModularTask, settings: Supervised, seed: int) -> Lessons:
    """Return the demonstrations for the base policy of a seed, and the table of its knowledge."""
    facts = make_facts(task)
    knowledge = draw_knowledge(task, facts, settings, seed)

    def demonstrated(question: str, rng: np.random.Generator) -> str:
        return demonstrate(question, knowledge, settings, task.modulus, rng)

    return Lessons(demonstrated, knowledge_csv(facts, knowledge))


def _shifted(residue: str, shift: int, modulus: int) -> str:
    return RESIDUES[(RESIDUES.index(residue) + shift) % modulus]


def facts_csv(facts: Sequence[Fact]) -> str:
    """Return the table of facts as CSV: fact, result, held_out (0 or 1)."""
    return _csv(
        ["fact", "result", "held_out"],
        [[fact.question, fact.result, int(fact.held_out)] for fact in facts],
    )


def knowledge_csv(facts: Sequence[Fact], knowledge: dict[str, Known]) -> str:
    """Return what a base policy was taught: the columns of `facts_csv`, right, misconception."""
    rows = []
    for fact in facts:
        known = knowledge[fact.question]
        taught = [repr(known.right), known.misconception]
        rows.append([fact.question, fact.result, int(fact.held_out), *taught])
    return _csv(["fact", "result", "held_out", "right", "misconception"], rows)


def _csv(header: list[str], rows: list[list]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    return text.getvalue()
