"""The check that every setting's `__post_init__` uses."""

from typing import Any

from maspo.errors import ConfigError


def require(condition: bool, name: str, value: Any, constraint: str) -> None:
    """Raise `ConfigError` naming the setting, its value and the constraint it broke."""
    if not condition:
        raise ConfigError(f"{name}={value!r} is not valid: it must be {constraint}")
