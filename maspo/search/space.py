"""The settings of a family that a search may change, and how far."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from maspo.config import objective_settings, options, scheduled_from
from maspo.errors import ConfigError

DIGITS = 3  # of a number that is drawn: no search of tens of trials tells finer ones apart


@dataclass
class Range:
    """The values of one setting: an interval, by its logarithm if so said, or a list.

    `fields` are the fields of the objective that all get the value; default: the one that is
    named like the setting.
    """

    low: float | None = None
    high: float | None = None
    log: bool = False
    choices: list[Any] | None = None
    fields: list[str] | None = None

    @property
    def ends(self) -> list[Any]:
        """The values at which an objective is tried before any run."""
        return [self.low, self.high] if self.choices is None else list(self.choices)


Space = Mapping[str, Range]


def fields_of(name: str, values: Range) -> list[str]:
    """Return the fields of an objective that a setting of a space changes."""
    return list(values.fields or [name])


def node(family: str, space: Space, chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a family's objective with what was chosen, as its file has them."""
    changed = {f: v for name, v in chosen.items() for f in fields_of(name, space[name])}
    return objective_settings(family) | changed


def usual(family: str, space: Space) -> dict[str, Any]:
    """Return what the family's own file says of the settings of its space."""
    settings = objective_settings(family)
    return {name: settings[fields_of(name, values)[0]] for name, values in space.items()}


def check_space(family: str, space: Space) -> None:
    """Refuse a space before any run.

    Raises:
        ConfigError: the family is no file of `configs/objective/`, it has no such setting, a range
            is empty or does not hold the family's own value, or the objective refuses an end of it.
    """
    if family not in options("objective"):
        raise ConfigError(f"family {family!r} is unknown: valid are {options('objective')}")
    settings = objective_settings(family)
    if not space:
        raise ConfigError(f"search.families.{family} is empty: name a setting and its range")
    for name, values in space.items():
        place = f"search.families.{family}.{name}"
        for field in fields_of(name, values):
            if field not in settings:
                valid = sorted(settings.keys() - {"_target_"})
                raise ConfigError(f"{place}: {family} has no {field!r}, it has {valid}")
        check_range(place, values)
        own = {field: settings[field] for field in fields_of(name, values)}
        if not all(value == own[fields_of(name, values)[0]] for value in own.values()):
            raise ConfigError(f"{place}: its fields differ in the family's own file: {own}")
        for field, value in own.items():
            if not holds(values, value):
                raise ConfigError(
                    f"{place} does not hold {value!r}, the {field} of {family}'s own file, which "
                    "is the first trial: widen it"
                )
        for end in values.ends:
            scheduled_from(node(family, space, {name: end}), place)


def check_range(place: str, values: Range) -> None:
    """Refuse values that nothing can be drawn from; `place` is for the error."""
    bounds = (values.low, values.high)
    if values.choices is not None:
        if bounds != (None, None) or values.log or len(values.choices) < 2:
            raise ConfigError(
                f"{place}: choices={list(values.choices)} must be two values or more, without "
                "low, high and log"
            )
    elif None in bounds or values.low >= values.high:
        raise ConfigError(
            f"{place}: low={values.low} high={values.high} is empty: give low below high, or "
            "choices"
        )
    elif values.log and values.low <= 0:
        raise ConfigError(f"{place}: low={values.low} must be above 0 with log: true")


def holds(values: Range, value: Any) -> bool:
    """Tell whether a range has a value."""
    if values.choices is not None:
        return value in values.choices
    return isinstance(value, int | float) and values.low <= value <= values.high


def draw(trial: Any, space: Space) -> dict[str, Any]:
    """Return the values that an `optuna.Trial` suggests, numbers rounded to `DIGITS` digits."""
    chosen: dict[str, Any] = {}
    for name, values in space.items():
        if values.choices is not None:
            chosen[name] = trial.suggest_categorical(name, list(values.choices))
        else:
            drawn = trial.suggest_float(name, values.low, values.high, log=values.log)
            chosen[name] = float(f"{drawn:.{DIGITS}g}")
    return chosen
