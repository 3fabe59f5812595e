"""The checks that every setting's `__post_init__` uses."""

import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from maspo.errors import ConfigError


def require(condition: bool, name: str, value: Any, constraint: str) -> None:
    """Raise `ConfigError` naming the setting, its value and the constraint it broke."""
    if not condition:
        raise ConfigError(f"{name}={value!r} is not valid: it must be {constraint}")


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
