r"""Are two LaTeX answers the same mathematics? Runs in the sandbox only: it imports sympy.

math-verify proposes, our guards confirm: an answer is correct when math-verify says so and the
guards find the two values equal.

No text is evaluated as code. Answers go to the LaTeX grammar of latex2sympy2_extended only, never
to math-verify's `parse`, which hands plain expressions to sympy's `parse_expr` and so to Python's
`eval`. The grammar itself sends the digits of each number the same way: here it gets a converter
that does not, and `parse_expr` is locked for the whole process.
"""

from fractions import Fraction

from latex2sympy2_extended import latex2sympy2 as grammar
from latex2sympy2_extended.latex2sympy2 import ConversionConfig, latex2sympy
from latex2sympy2_extended.math_normalization import NormalizationConfig, normalize_latex
from math_verify.grader import should_treat_as_complex, verify
from sympy import Basic, MatrixBase, Rational
from sympy.parsing import sympy_parser

from maspo.verifier import text
from maspo.verifier.exact import compatible, quantity
from maspo.verifier.guards import confirmed, undefined
from maspo.verifier.verdict import Verdict

_NORMAL = NormalizationConfig(
    basic_latex=True,
    units=False,  # its list of units holds t, h, s, c: it reads 2t as 2
    malformed_operators=True,
    nits=True,
    boxed="none",
    equations=False,
)
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


def parse(latex: str, real: bool) -> Basic | MatrixBase:
    """The whole text as one sympy object, through the grammar.

    Raises:
        Exception: of many types, where the grammar does not accept all of the text.
    """
    parsed = latex2sympy(
        latex,
        is_real=real,
        convert_degrees=False,
        normalization_config=None,
        conversion_config=_CONVERSION,
    )
    if not isinstance(parsed, Basic | MatrixBase):
        raise ValueError(f"the grammar reads {latex!r} as a {type(parsed).__name__}")
    return parsed


def read(answer: str) -> tuple[str, str, Rational | None]:
    """A cleaned answer as normal LaTeX, its unit, and its value where it is an exact number."""
    number = quantity(answer)
    if number is not None:
        exact = Rational(number.value.numerator, number.value.denominator)
        return answer, number.unit, exact
    value, unit = text.split_unit(answer)
    return normalize_latex(value, _NORMAL), unit, None


def decide(answer: str, gold: str) -> str:
    """The verdict on two cleaned answers: correct, wrong, or error.

    error: the gold answer cannot be read, so that nothing can be said, or math-verify failed.
    """
    (answer, unit, value), (gold, gold_unit, target) = read(answer), read(gold)
    real = not (should_treat_as_complex(gold) or should_treat_as_complex(answer))
    try:
        target = parse(gold, real) if target is None else target
    except MemoryError:
        raise
    except Exception:
        return Verdict.ERROR
    try:
        value = parse(answer, real) if value is None else value
    except MemoryError:
        raise
    except Exception:
        return Verdict.WRONG  # not a formula, and its text is not the gold answer's
    if undefined(value) or not compatible(unit, gold_unit):
        return Verdict.WRONG
    try:
        same = verify(target, value, timeout_seconds=None, raise_on_error=True)
        return Verdict.CORRECT if same and confirmed(target, value) else Verdict.WRONG
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
