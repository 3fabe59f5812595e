"""Settings of an objective that change over training (the paper leaves them to later work).

Where a configuration has a number, it may have a schedule:

    alpha: {schedule: linear, from: 0.5, to: 0.0}     # cosine: the same, with half a cosine wave
    alpha: {schedule: steered, from: 0.3, by: entropy, target: 0.2, rate: -0.1, low: 0, high: 1}

A value depends on the step and the log's row before it alone, so a run can be resumed and audited.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import cos, isfinite, pi
from numbers import Real
from typing import Any

import torch

from maspo.objectives.base import Objective, PolicyBatch

PREFIX = "setting_"  # of a scheduled setting's column in the log


@dataclass(frozen=True)
class Ramp:
    """From one value at the first step to another at the last, straight or along a cosine."""

    start: float
    end: float
    cosine: bool = False

    @property
    def ends(self) -> tuple[float, float]:
        """The values between which all others lie."""
        return self.start, self.end

    def value(self, step: int, steps: int, before: float, row: Mapping[str, Any]) -> float:
        """Return the value of a step, from 1 to `steps`."""
        done = (step - 1) / max(steps - 1, 1)
        part = (1 - cos(pi * done)) / 2 if self.cosine else done
        return self.start + (self.end - self.start) * part


@dataclass(frozen=True)
class Steered:
    """Moved after each step by a logged metric x: v + rate (x / target - 1), kept in [low, high].

    So a value settles where the metric is at its target, if `rate` has the right sign.
    """

    start: float
    by: str
    target: float
    rate: float
    low: float
    high: float

    @property
    def ends(self) -> tuple[float, float]:
        """The values between which all others lie."""
        return self.low, self.high

    def value(self, step: int, steps: int, before: float, row: Mapping[str, Any]) -> float:
        """Return the value of a step; `before` and `row` are the value and the log one earlier.

        Raises:
            ValueError: the log has no such metric.
        """
        if step == 1:
            return self.start
        if not isinstance(row.get(self.by), Real):
            numbers = sorted(name for name, value in row.items() if isinstance(value, Real))
            raise ValueError(f"the log has no number {self.by!r} to steer by; it has {numbers}")
        if not isinstance(before, Real):
            raise ValueError(f"the log has {before!r} where the value of a setting should be")
        return min(self.high, max(self.low, before + self.rate * (row[self.by] / self.target - 1)))


Schedule = Ramp | Steered
FIELDS = {
    "linear": ("from", "to"),
    "cosine": ("from", "to"),
    "steered": ("from", "by", "target", "rate", "low", "high"),
}


def read_schedule(name: str, given: Mapping[str, Any]) -> Schedule:
    """Return the schedule that a configuration spells out for the setting `name`.

    Raises:
        ValueError: the kind is unknown, a field is missing, unknown or no finite number, the
            target is 0, or `from` is not between `low` and `high`.
    """
    kind = given.get("schedule")
    if kind not in FIELDS:
        raise ValueError(f"{name}: schedule must be one of {list(FIELDS)}, got {kind!r}")
    if set(given) != {"schedule", *FIELDS[kind]}:
        found = sorted(set(given) - {"schedule"})
        raise ValueError(f"{name}: a {kind} schedule has {list(FIELDS[kind])}, got {found}")
    for key in FIELDS[kind]:
        number = isinstance(given[key], Real) and not isinstance(given[key], bool)
        if key != "by" and not (number and isfinite(given[key])):
            raise ValueError(f"{name}: {key} must be a finite number, got {given[key]!r}")
    if kind != "steered":
        return Ramp(float(given["from"]), float(given["to"]), cosine=kind == "cosine")
    if given["target"] == 0:
        raise ValueError(f"{name}: target must not be 0: the metric is divided by it")
    if not given["low"] <= given["from"] <= given["high"]:
        raise ValueError(f"{name}: from={given['from']} must lie between low and high")
    numbers = {key: float(given[key]) for key in ("target", "rate", "low", "high")}
    return Steered(float(given["from"]), str(given["by"]), **numbers)


def read_settings(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Schedule]]:
    """Return the settings of a configuration as they are at the first step, and their schedules.

    Raises:
        ValueError: a schedule is not valid.
    """
    schedules = {
        name: read_schedule(name, value)
        for name, value in given.items()
        if isinstance(value, Mapping)
    }
    return {**given, **{name: each.start for name, each in schedules.items()}}, schedules


@dataclass(frozen=True)
class Scheduled:
    """An objective and the schedules of its settings, if there are any.

    Raises:
        TypeError, ValueError: a schedule leads to a value that the objective refuses.
    """

    first: Objective  # as at the first step
    schedules: Mapping[str, Schedule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, schedule in self.schedules.items():
            for end in schedule.ends:
                changed: dict[str, Any] = {name: end}
                replace(self.first, **changed)

    @property
    def steered_by(self) -> dict[str, str]:
        """The logged metric that each steered setting follows, by the setting's name."""
        return {n: each.by for n, each in self.schedules.items() if isinstance(each, Steered)}

    def at(
        self, step: int, steps: int, row: Mapping[str, Any] | None
    ) -> tuple[Objective, dict[str, float]]:
        """Return the objective of a step and its scheduled settings, as columns of the log.

        Args:
            step: from 1 to `steps`.
            row: the log one step earlier; None at the first.

        Raises:
            ValueError: a value is out of the setting's bounds, or cannot be known.
        """
        values: dict[str, Any] = {}
        for name, schedule in self.schedules.items():
            before = (row or {}).get(PREFIX + name, getattr(self.first, name))
            values[name] = schedule.value(step, steps, before, row or {})
        columns = {PREFIX + name: value for name, value in values.items()}
        return replace(self.first, **values) if values else self.first, columns


def metrics_of(objective: Objective) -> frozenset[str]:
    """Return the names of the metrics that an objective has of any batch."""
    one = torch.ones(1, 2)
    batch = PolicyBatch(
        log_prob=-one, old_log_prob=-one, advantages=one, mask=one.bool(), entropy=one
    )
    return frozenset(objective(batch).metrics)


def check_steering(scheduled: Scheduled) -> None:
    """Refuse what cannot be steered where updates alone are seen, and not whole steps, as in verl.

    Raises:
        ValueError: a setting follows neither a metric of the objective nor `entropy`.
    """
    known = metrics_of(scheduled.first) | {"entropy"} if scheduled.steered_by else frozenset()
    for name, by in scheduled.steered_by.items():
        if by not in known:
            raise ValueError(
                f"{name} is steered by {by!r}, which verl's workers do not know: they know "
                f"{sorted(known)}"
            )
