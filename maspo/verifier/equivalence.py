r"""Are two LaTeX answers the same mathematics? Runs in the sandbox only: it imports sympy.

math-verify proposes, our guards confirm: an answer is correct when math-verify says so and the
guards find the two values equal.

No text is evaluated as code. Answers go to the LaTeX grammar of latex2sympy2_extended only, never
to math-verify's `parse`, which hands plain expressions to sympy's `parse_expr` and so to Python's
`eval`. The grammar itself sends the digits of each number the same way: here it gets a converter
that does not, and `parse_expr` is locked for the whole process.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from fractions import Fraction
from functools import lru_cache
from itertools import product

from latex2sympy2_extended import latex2sympy2 as grammar
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, latex2sympy
from latex2sympy2_extended.math_normalization import NormalizationConfig, normalize_latex
from math_verify.grader import should_treat_as_complex, verify
from sympy import Basic, I, Interval, MatrixBase, Product, Rational, Set, Sum, Symbol
from sympy.parsing import sympy_parser

from maspo.verifier.exact import compare, quantity
from maspo.verifier.guards import confirmed, undefined
from maspo.verifier.regions import region
from maspo.verifier.structure import (
    RELATION,
    Chain,
    cases,
    chain,
    elements,
    has,
    same_name,
    states_region,
)
from maspo.verifier.text import degrees_as_radians, formula
from maspo.verifier.units import compatible, split_unit
from maspo.verifier.verdict import Verdict

_NORMAL = NormalizationConfig(
    basic_latex=True,
    units=False,  # its list of units holds t, h, s, c: it reads 2t as 2
    malformed_operators=True,
    nits=True,
    boxed="none",
    equations=False,
)
_IMAGINARY = re.compile(r"\d ?i(?![a-zA-Z])")
_LOST = re.compile(r"\d ?_")  # a number's index: 101_2 + 1
_CONVERSION = ConversionConfig(lowercase_symbols=False)  # M/m is not 1


def _number(digits: str) -> Rational:
    """A number token of the grammar (digits, separators, a point) as exactly its value."""
    value = Fraction(digits.replace(",", "").replace(" ", ""))
    return Rational(value.numerator, value.denominator)


def _refuse(code: str, *_: object) -> None:
    raise PermissionError(f"the verifier does not evaluate text: {code[:80]!r}")


def lock() -> None:
    """Close sympy's way from text to `eval` in this process, for good."""
    sympy_parser.eval_expr = _refuse


def split(answer: str) -> tuple[str, str]:
    """An answer and its unit, degrees inside of functions as radians."""
    number = quantity(answer)
    if number is not None:
        return str(number.value), number.unit
    return split_unit(degrees_as_radians(answer))


def value(answer: str, real: bool) -> Basic | MatrixBase:
    """The value of an answer without its unit.

    Raises:
        Exception: of many types, where the grammar does not accept all of the text.
    """
    number = quantity(answer)
    if number is not None:
        return Rational(number.value.numerator, number.value.denominator)
    return parse(normalize_latex(formula(answer), _NORMAL), real)


def _real(answer: str) -> Basic | MatrixBase:
    return value(split(answer)[0], real=True)


@lru_cache(maxsize=256)
def parse(latex: str, real: bool) -> Basic | MatrixBase:
    """The whole text as one sympy object, through the grammar.

    Raises:
        Exception: of many types, where the grammar does not accept all of the text.
    """
    if _LOST.search(latex):
        raise ValueError(f"the grammar drops a part of {latex!r}")
    parsed = latex2sympy(
        latex,
        is_real=real,
        convert_degrees=False,
        normalization_config=None,
        conversion_config=_CONVERSION,
    )
    if not isinstance(parsed, Basic | MatrixBase):
        raise ValueError(f"the grammar reads {latex!r} as a {type(parsed).__name__}")
    if real or parsed.has(Sum, Product):  # there i may count the terms
        return parsed
    return parsed.xreplace({Symbol("i", real=False): I})


def decide(answer: str, gold: str) -> str:
    """The verdict on two cleaned answers: correct, wrong, or error.

    Both are taken apart as they are written, until only values and equations are left.

    error: the gold answer cannot be read, so that nothing can be said, or math-verify failed.
    """
    equal = compare(answer, gold)
    if equal is not None:
        return Verdict.CORRECT if equal else Verdict.WRONG
    rows, gold_rows = cases(answer), cases(gold)
    if gold_rows and any(len(row) > 1 for row in gold_rows) and not chain(answer):
        return _all_match(list(map(tuple, rows or ())), list(map(tuple, gold_rows)), _same_row)
    if states_region(answer) or states_region(gold):
        verdict = _same_region(answer, gold)
        if verdict is not None:
            return verdict
    listed, gold_listed = elements(answer), elements(gold)
    if (listed, gold_listed) != ([answer], [gold]):
        verdict = _all_match(listed, gold_listed, decide)
        if verdict == Verdict.CORRECT and not _as_often(listed, gold_listed):
            return Verdict.WRONG
        return verdict
    return _same_statement(answer, gold)


def _as_often(answers: list[str], golds: list[str]) -> bool:
    """Whether what a gold list holds twice is there twice; a list that repeats nothing is a set."""
    counts = Counter(golds)
    return len(counts) == len(golds) or (
        len(answers) == len(golds)
        and all(
            sum(decide(answer, gold) == Verdict.CORRECT for answer in answers) == count
            for gold, count in counts.items()
        )
    )


def _all_match(answers: list, golds: list, same: Callable[..., str]) -> str:
    """Whether each answer is one of the golds and each gold one of the answers, in any order."""
    found = {pair: Verdict.CORRECT for pair in product(answers, golds) if pair[0] == pair[1]}
    for place, items in enumerate((answers, golds)):
        for item in items:
            if any(p[place] == item for p, verdict in found.items() if verdict == Verdict.CORRECT):
                continue
            pairs = [pair for pair in product(answers, golds) if pair[place] == item]
            found |= {pair: same(*pair) for pair in pairs if pair not in found}
            if Verdict.CORRECT not in (found[pair] for pair in pairs):
                return Verdict.ERROR if Verdict.ERROR in found.values() else Verdict.WRONG
    return Verdict.CORRECT


def _same_row(row: tuple[str, ...], gold_row: tuple[str, ...]) -> str:
    """The verdict on two rows of a case distinction."""
    if len(row) != len(gold_row):
        return Verdict.WRONG
    return _worst(decide(cell, other) for cell, other in zip(row, gold_row, strict=True))


def _worst(verdicts: Iterable[str]) -> str:
    found = set(verdicts)
    return next(v for v in (Verdict.ERROR, Verdict.WRONG, Verdict.CORRECT) if v in found)


def _same_region(answer: str, gold: str) -> str | None:
    """The verdict on inequalities against inequalities or a set; None where one is neither.

    A gold answer (1,2) may be a point, so 1 < x < 2 is not compared with it.
    """
    try:
        found, target = _region(answer), _region(gold)
    except MemoryError:
        raise
    except Exception:
        return None
    if found is None or target is None:
        return None
    (name, values), (gold_name, gold_values) = found, target
    if not gold_name and isinstance(gold_values, Interval) and gold_values.is_open:
        return Verdict.WRONG
    if name and gold_name and not same_name(name, gold_name):
        return Verdict.WRONG
    return _same_value(values, gold_values)


def _region(text: str) -> tuple[str, Set] | None:
    found = region(text, _real)
    if found or has(text, RELATION):
        return found
    values = _real(text)
    return ("", values) if isinstance(values, Set) else None


def _same_statement(answer: str, gold: str) -> str:
    """The verdict on single answers: each a value, a named value, or another relation."""
    said, meant = chain(answer), chain(gold)
    if meant and meant.names:
        if said and any(same_name(*pair) for pair in product(said.names, meant.names)):
            return _same_sides(said, meant.values[0])
        if not has(answer, RELATION):
            return decide(answer, meant.values[0])
        if said and said.names and said.member != meant.member:
            return Verdict.WRONG
    elif said and not has(gold, RELATION):
        return _same_sides(said, gold)
    return _same_values(answer, gold)


def _same_sides(said: Chain, gold: str) -> str:
    """Whether every side of a chain is the gold value: `x = 3 = 7` states nothing."""
    verdict = _worst(decide(side, gold) for side in said.values)
    if verdict == Verdict.CORRECT and not all(_near(side, said.values[0]) for side in said.near):
        return Verdict.WRONG
    return verdict


def _near(side: str, value: str) -> bool:
    """Whether a side behind an approximation sign is within 5 % of the value."""
    try:
        return bool(abs(_real(side) - (exact := _real(value))) <= abs(exact) / 20)
    except MemoryError:
        raise
    except Exception:
        return False


def _same_values(answer: str, gold: str) -> str:
    """math-verify's verdict with our guards, on texts that are not taken apart further."""
    (answer, unit), (gold, gold_unit) = split(answer), split(gold)
    real = not any(
        should_treat_as_complex(text) or _IMAGINARY.search(text) for text in (answer, gold)
    )
    try:
        target = value(gold, real)
    except MemoryError:
        raise
    except Exception:
        return Verdict.ERROR
    try:
        found = value(answer, real)
    except MemoryError:
        raise
    except Exception:
        return Verdict.WRONG  # not a formula, and its text is not the gold answer's
    if undefined(found) or not compatible(unit, gold_unit):
        return Verdict.WRONG
    return _same_value(found, target)


def _same_value(found: Basic | MatrixBase, target: Basic | MatrixBase) -> str:
    try:
        same = verify(target, found, timeout_seconds=None, raise_on_error=True)
        return Verdict.CORRECT if same and confirmed(target, found) else Verdict.WRONG
    except MemoryError:
        raise
    except Exception:
        return Verdict.ERROR


_WARM_UP = (
    (r"\frac{\sqrt{2}}{2}", r"\frac{1}{\sqrt 2}"),
    (r"(x+1)^{2} - 3\pi", r"x^2+2x+1-3\pi"),
    (r"(-\infty, \frac{1}{2}]\cup(3,4)", r"(3,4)\cup(-\infty, 1/2]"),
    (r"\{1, 2\}", "2,1"),
    (r"\begin{pmatrix} 1 & x \\ 0 & 2 \end{pmatrix}", r"\begin{bmatrix} 1&x\\0&2\end{bmatrix}"),
    ("f(x)=2x", "2x"),
    (r"\sin(x)^2+\cos(x)^2", "1"),
    ("y > 2", "2 < y"),
)


def warm_up() -> None:
    """Fill the grammar's and sympy's caches, then lock `eval`: forked children begin warm.

    Unlocked first: sympy evaluates texts of its own when it imports its unit system.

    Raises:
        RuntimeError: one of a few equal pairs is not found equal: the installation is broken.
    """
    for _ in range(2):
        for answer, gold in _WARM_UP:
            verdict = decide(answer, gold)
            if verdict != Verdict.CORRECT:
                raise RuntimeError(
                    f"{answer} against {gold} is {verdict}: install math-verify 0.9.0"
                )
        lock()


grammar.convert_number = _number
grammar._Latex2Sympy.parse_number = staticmethod(_number)
