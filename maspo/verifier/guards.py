"""A second opinion on what math-verify calls equal: numbers by value, containers by kind."""

from collections.abc import Iterable

from latex2sympy2_extended.logic import And
from sympy import (
    Basic,
    Eq,
    Expr,
    FiniteSet,
    Interval,
    MatrixBase,
    Mul,
    Ne,
    Rational,
    Set,
    Symbol,
    Tuple,
    Union,
    nan,
    prime,
    simplify,
    solve,
    zoo,
)
from sympy.core.function import AppliedUndef
from sympy.core.relational import Relational
from sympy.matrices.expressions import MatrixExpr

TOLERANCE = Rational(1, 10**12)
"""Largest relative difference of two equal values; a decimal stands for exactly its digits."""

_SAMPLES = 3


def undefined(value: Basic | MatrixBase) -> bool:
    """Whether the value holds a division by zero or another undefined part."""
    return bool(value.has(nan, zoo))


def confirmed(gold: Basic | MatrixBase, answer: Basic | MatrixBase) -> bool:
    """Whether two values that math-verify calls equal are.

    What it turns down: small numbers (1/2^99 and 1/2^98), sets against tuples and intervals,
    equations that collapse to their last number (2x+3=5 and 5), equations without solutions.
    """
    if _is_relation(gold) and _is_relation(answer):
        return _same_relation(gold, answer)
    if _is_relation(gold):
        if isinstance(answer, Set) and not _is_equation(gold):
            return confirmed(gold.as_set(), answer)
        value = _named_value(gold)
        return value is not None and confirmed(value, answer)
    if _is_relation(answer):
        value = _named_value(answer)
        if value is None:
            return all(confirmed(gold, part) for part in _parts(answer))
        return confirmed(gold, value)
    return _same_value(gold, answer)


def _same_value(gold: Basic | MatrixBase, answer: Basic | MatrixBase) -> bool:
    """`confirmed` for values that are no relations."""
    if isinstance(gold, FiniteSet) and isinstance(answer, Expr):
        gold, answer = answer, gold
    if isinstance(answer, FiniteSet) and isinstance(gold, Expr):
        return len(answer) == 1 and confirmed(gold, answer.args[0])
    if isinstance(gold, MatrixBase | MatrixExpr) and isinstance(answer, MatrixBase | MatrixExpr):
        gold, answer = gold.doit(), answer.doit()
        return gold.shape == answer.shape and _in_order(gold, answer)
    if isinstance(gold, Tuple) and isinstance(answer, Tuple):
        return _in_order(gold, answer)
    if isinstance(gold, Interval) and isinstance(answer, Interval):
        ends = (gold.left_open, gold.right_open) == (answer.left_open, answer.right_open)
        return ends and _in_order((gold.start, gold.end), (answer.start, answer.end))
    for kind in (FiniteSet, Union):
        if isinstance(gold, kind) and isinstance(answer, kind):
            return _in_any_order(gold.args, answer.args)
    if isinstance(gold, Set) and isinstance(answer, Set):
        return isinstance(gold, FiniteSet) == isinstance(answer, FiniteSet)
    return isinstance(gold, Expr) and isinstance(answer, Expr) and _equal(gold, answer)


def _in_order(golds: Iterable[Basic], answers: Iterable[Basic]) -> bool:
    golds, answers = list(golds), list(answers)
    return len(golds) == len(answers) and all(map(confirmed, golds, answers))


def _in_any_order(golds: Iterable[Basic], answers: Iterable[Basic]) -> bool:
    left = list(answers)
    for gold in golds:
        partner = next((answer for answer in left if confirmed(gold, answer)), None)
        if partner is None:
            return False
        left.remove(partner)
    return not left


def _equal(gold: Expr, answer: Expr) -> bool:
    """Equal values at each of a few fixed points of their variables (once where there are none)."""
    if gold == answer:
        return True
    names = _variables(gold) | _variables(answer)
    pairs = [(_at(gold, point), _at(answer, point)) for point in _points(names)]
    pairs = [pair for pair in pairs if None not in pair]
    return bool(pairs) and all(_close(*pair, gold - answer) for pair in pairs)


def _variables(value: Expr) -> set[Basic]:
    return value.free_symbols | value.atoms(AppliedUndef)


def _points(names: set[Basic]) -> list[dict[Basic, Rational]]:
    """Fixed, unremarkable values: positive ones first, then of both signs."""
    ordered = sorted(names, key=str)
    return [
        {
            name: (-1) ** (index * sample) * Rational(prime(index + 5), prime(index + sample + 9))
            for index, name in enumerate(ordered)
        }
        for sample in range(_SAMPLES if ordered else 1)
    ]


def _at(value: Expr, point: dict[Basic, Rational]) -> Expr | None:
    """The value as a number to 30 digits, None where it has none at this point."""
    number = value.subs(point).doit().evalf(30)
    return number if number.is_number and not undefined(number) else None


def _close(gold: Expr, answer: Expr, difference: Expr) -> bool:
    if gold == answer:
        return True
    if gold.is_infinite or answer.is_infinite:
        return False
    if gold == 0 or answer == 0:  # no relative measure: it has to be shown
        return simplify(difference) == 0
    return bool(abs(gold - answer) <= TOLERANCE * max(abs(gold), abs(answer)))


def _is_relation(value: Basic) -> bool:
    return isinstance(value, Relational | And)


def _is_equation(value: Basic) -> bool:
    return all(isinstance(link, Eq) for link in _links(value))


def _links(relation: Basic) -> list[Relational]:
    """A chain a = b < c as its single relations, as written."""
    return list(relation._unsorted_args) if isinstance(relation, And) else [relation]


def _parts(relation: Basic) -> list[Basic]:
    """Every side of a chain of relations, as written."""
    links = _links(relation)
    return [links[0].lhs, *(link.rhs for link in links)]


def _named_value(equation: Basic) -> Basic | None:
    """The value of `x = 5`, `f(x) = 5`, `AB = 3 + 2 = 5`; None where no plain name is defined.

    None also for a false chain as `x = 3 = 5`.
    """
    if not _is_equation(equation):
        return None
    name, *between, value = _parts(equation)
    if not _is_plain_name(name):
        return None
    stated = all(_is_plain_name(part) or confirmed(value, part) for part in between)
    return value if stated else None


def _is_plain_name(part: Basic) -> bool:
    factors = Mul.make_args(part) if isinstance(part, Expr) else ()
    return bool(factors) and all(isinstance(factor, Symbol | AppliedUndef) for factor in factors)


def _same_relation(gold: Basic, answer: Basic) -> bool:
    """Both sides' differences are proportional, or math-verify compared their solutions."""
    golds, answers = _links(gold), _links(answer)
    if len(golds) != len(answers):
        gold_value, value = _named_value(gold), _named_value(answer)
        return gold_value is not None and value is not None and confirmed(gold_value, value)
    return all(map(_same_link, golds, answers))


def _same_link(gold: Relational, answer: Relational) -> bool:
    if not all(isinstance(side, Expr) for side in (*gold.args, *answer.args)):
        return gold.lhs == answer.lhs and confirmed(gold.rhs, answer.rhs)
    mine, theirs = gold.lhs - gold.rhs, answer.lhs - answer.rhs
    ratio = _constant_ratio(mine, theirs)
    if {type(gold), type(answer)} & {Eq, Ne}:
        equal = ratio is not None or (isinstance(gold, Eq) and _share_a_zero(gold, answer))
        return type(gold) is type(answer) and equal
    return ratio is not None and bool(ratio > 0) == (type(gold) is type(answer))


def _constant_ratio(left: Expr, right: Expr) -> Expr | None:
    """left/right where that is one number for all variables, else None."""
    names = _variables(left) | _variables(right)
    points = _points(names)
    pairs = [(_at(left, point), _at(right, point)) for point in points]
    if any(None in pair or 0 in pair for pair in pairs):
        return None
    ratios = [left / right for left, right in pairs]
    same = all(_close(ratios[0], ratio, ratio - ratios[0]) for ratio in ratios)
    return ratios[0] if same and names else None


def _share_a_zero(gold: Eq, answer: Eq) -> bool:
    """Whether a solution exists at all: two equations without one are not the same equation."""
    symbols = sorted(gold.free_symbols, key=str)
    return any(
        simplify((answer.lhs - answer.rhs).subs(solution)) == 0
        for solution in solve(gold, symbols, dict=True)
    )
