"""Sets of numbers as people write them by inequalities; in the sandbox only: it imports sympy."""

from collections.abc import Callable

from sympy import Basic, FiniteSet, Intersection, Interval, S, Set, Union, oo

from maspo.verifier.structure import AND, INEQUALITY, OR, chain, condition, has, is_name, parts

_FLIPPED = {"<": ">", ">": "<", r"\leq": r"\geq", r"\geq": r"\leq", r"\neq": r"\neq"}
Parse = Callable[[str], Basic]


def region(text: str, parse: Parse) -> tuple[str, Set] | None:
    r"""The unknown and its values, of `1 < x \leq 2`, `x < 1 or x > 2`, `x \in [1,2]`.

    None where the text is of another form, as `2x > 4`: nothing is solved here.

    Raises:
        Exception: of many types, where a bound cannot be parsed.
    """
    found = [_conjunction(part, parse) for _, part in parts(condition(text) or text, OR)]
    return _joined(found, Union)


def _conjunction(text: str, parse: Parse) -> tuple[str, Set] | None:
    return _joined([_simple(part, parse) for _, part in parts(text, AND)], Intersection)


def _joined(found: list[tuple[str, Set] | None], join: type) -> tuple[str, Set] | None:
    if None in found or len({name for name, _ in found}) > 1:
        return None
    return found[0][0], join(*(values for _, values in found))


def _simple(text: str, parse: Parse) -> tuple[str, Set] | None:
    if not has(text, INEQUALITY):
        link = chain(text)
        if not link or len(link.names) != 1 or len(link.values) > 1 or link.near:
            return None
        value = parse(link.values[0])
        return link.names[0], value if isinstance(value, Set) else FiniteSet(value)
    sides = parts(text, INEQUALITY)
    if len(sides) > 3:
        return None
    place = 1 if len(sides) == 3 or not is_name(sides[0][1]) else 0
    if not is_name(sides[place][1]):
        return None
    bounds = [(_FLIPPED[sides[index + 1][0]], sides[index][1]) for index in range(place)]
    bounds += sides[place + 1 :]
    values = _between({mark: parse(bound) for mark, bound in bounds})
    return (sides[place][1].replace(" ", ""), values) if values is not None else None


def _between(bounds: dict[str, Basic]) -> Set | None:
    """The numbers on the right side of every bound; None where two bounds are on one side."""
    if r"\neq" in bounds:
        return S.Reals - FiniteSet(bounds[r"\neq"]) if len(bounds) == 1 else None
    above = [mark for mark in bounds if mark in (">", r"\geq")]
    below = [mark for mark in bounds if mark in ("<", r"\leq")]
    if len(above) > 1 or len(below) > 1:
        return None
    return Interval(
        bounds[above[0]] if above else -oo,
        bounds[below[0]] if below else oo,
        above != [r"\geq"],
        below != [r"\leq"],
    )
