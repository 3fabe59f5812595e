"""Dataclass fields that know their own constraint, so that a bad value is refused by name."""

from dataclasses import field, fields
from math import isfinite
from numbers import Real
from typing import Any

_BOUNDS = {
    "above": ("above", lambda value, bound: value > bound),
    "at_least": ("at least", lambda value, bound: value >= bound),
    "below": ("below", lambda value, bound: value < bound),
    "at_most": ("at most", lambda value, bound: value <= bound),
}


def setting(default: Any, *, choices: tuple = (), optional: bool = False, why: str = "", **bounds):
    """Return a dataclass field with a default and a constraint.

    The default's type decides the kind: a bool, one of `choices`, else a finite number within
    `bounds` (`above`, `at_least`, `below`, `at_most`). `optional` admits None; `why` is added to
    the error's text.
    """
    unknown = set(bounds) - set(_BOUNDS)
    if unknown:
        raise TypeError(f"setting has no bound {sorted(unknown)}; it has {sorted(_BOUNDS)}")
    metadata = {"choices": choices, "optional": optional, "bounds": bounds, "why": why}
    return field(default=default, metadata=metadata)


def check_settings(instance: Any) -> None:
    """Check each field of a dataclass made with `setting`.

    Raises:
        TypeError: a value has the wrong type.
        ValueError: a value is outside its bounds or choices.
    Both name the class's field, the constraint and the value.
    """
    for item in fields(instance):
        if item.metadata:
            _check(type(instance).__name__, item, getattr(instance, item.name))


def _check(owner: str, item: Any, value: Any) -> None:
    rule = item.metadata
    if value is None and rule["optional"]:
        return
    if isinstance(item.default, bool):
        if not isinstance(value, bool):
            raise TypeError(f"{owner}.{item.name} must be true or false, got {value!r}")
        return
    if rule["choices"]:
        if value not in rule["choices"]:
            raise ValueError(
                f"{owner}.{item.name} must be one of {list(rule['choices'])}, got {value!r}"
            )
        return
    phrases = [f"{_BOUNDS[name][0]} {bound:g}" for name, bound in rule["bounds"].items()]
    expected = " ".join(
        part
        for part in (
            "a number",
            " and ".join(phrases),
            "or None" if rule["optional"] else "",
            f"({rule['why']})" if rule["why"] else "",
        )
        if part
    )
    message = f"{owner}.{item.name} must be {expected}, got {value!r}"
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(message)
    within = all(_BOUNDS[name][1](value, bound) for name, bound in rule["bounds"].items())
    if not isfinite(value) or not within:
        raise ValueError(message)
