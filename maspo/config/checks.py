"""The checks that every setting's `__post_init__` uses."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from operator import ge, gt, le, lt
from typing import Annotated, Any, get_args, get_type_hints

from annotated_types import Ge, Gt, Interval

from maspo.errors import ConfigError


def require(condition: bool, name: str, value: Any, constraint: str) -> None:
    """Raise `ConfigError` naming the setting, its value and the constraint it broke."""
    if not condition:
        raise ConfigError(f"{name}={value!r} is not valid: it must be {constraint}")


# Kinds of settings, by what they may be; `require_bounds` holds them to it.
Count = Annotated[int, Ge(1)]
OptionalCount = Annotated[int | None, Ge(1)]
Positive = Annotated[float, Gt(0)]
Share = Annotated[float, Interval(ge=0, le=1)]
InnerShare = Annotated[float, Interval(gt=0, lt=1)]
COMPARE = {"gt": gt, "ge": ge, "lt": lt, "le": le}


def require_bounds(settings: Any, group: str) -> None:
    """Raise `ConfigError` naming a number outside the bounds that its annotation declares.

    Bounds are those of `annotated_types`, such as ``Annotated[int, Ge(1)]``.
    """
    for name, hint in get_type_hints(type(settings), include_extras=True).items():
        value = getattr(settings, name)
        for bound in getattr(hint, "__metadata__", ()) if value is not None else ():
            limits = {kind: getattr(bound, kind, None) for kind in COMPARE}
            limits = {kind: limit for kind, limit in limits.items() if limit is not None}
            valid = all(COMPARE[kind](value, limit) for kind, limit in limits.items())
            optional = ", or null" if type(None) in get_args(hint.__origin__) else ""
            place = f"{group}.{name}" if group else name
            require(valid, place, value, _in_words(limits) + optional)


def _in_words(limits: Mapping[str, float]) -> str:
    match limits:
        case {"gt": 0} if len(limits) == 1:
            return "positive"
        case {"ge": least} if len(limits) == 1:
            return f"at least {least}"
    start = f"[{limits['ge']}" if "ge" in limits else f"({limits['gt']}"
    end = f"{limits['le']}]" if "le" in limits else f"{limits['lt']})"
    return f"in {start}, {end}"


def require_finite(settings: Any, name: str = "") -> None:
    """Raise `ConfigError` naming a setting, at any depth, that is an infinite number or none."""
    if is_dataclass(settings):
        settings = {field.name: getattr(settings, field.name) for field in fields(settings)}
    if isinstance(settings, Mapping):
        for key, value in settings.items():
            require_finite(value, f"{name}.{key}" if name else key)
    elif isinstance(settings, list):
        for value in settings:
            require_finite(value, name)
    elif isinstance(settings, float):
        require(math.isfinite(settings), name, settings, "a finite number")


def require_different(name: str, values: list[str]) -> None:
    """Raise `ConfigError` if a list names something twice."""
    twice = sorted({value for value in values if values.count(value) > 1})
    require(not twice, name, values, f"a list without repetition; twice there: {twice}")
