"""The claims of `configs/claims.yaml`, read and checked."""

import math
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from maspo.config import options
from maspo.errors import ConfigError
from maspo.reporting.analysis import build, claims_path, read_sections
from maspo.reporting.claim_statistics import STATISTICS
from maspo.reporting.comparisons import NAMES

# Of the paper; of this project on itself; beyond the paper, reported where its studies were run.
QUESTION = "question"
KINDS = ("claim", "check", QUESTION)
CLAIM_KEYS = {"id", "kind", "statement", "source", "parts"}
PART_KEYS = {"study", "statistic", "above", "below", "margin", "scale", "results", "command"}
UNITS = {"fraction": 1, "share": 1, "nats": math.inf, "steps": math.inf}  # margins lie below


@dataclass(frozen=True)
class Part:
    """One question of a claim: the claim holds if all of its parts do.

    The effect of `statistic` must lie above or below a bound. With a bound of 0, which asks for a
    direction, distances below `margin` count for nothing (in the effect's unit). `studies` are
    names of which the first that a suite has is taken. With `scale` and `results` the part is
    about the runs of that scale in that folder, whatever the suite.
    """

    name: str  # of the statistic
    statistic: Any
    studies: tuple[str, ...]
    above: float | None
    below: float | None
    margin: float | None
    scale: str | None
    results: str | None
    command: str | None  # that would test it, where it is not the usual one

    @property
    def bound(self) -> float:
        """What the effect is compared with, whichever side the claim wants it on."""
        return self.below if self.above is None else self.above

    @property
    def arguments(self) -> dict[str, Any]:
        """Arguments of the statistic."""
        return asdict(self.statistic)


@dataclass(frozen=True)
class Claim:
    """A statement, where it was made, and what decides it."""

    id: str
    kind: str
    statement: str
    source: str
    parts: tuple[Part, ...]


def load_claims(path: Path | None = None) -> tuple[Claim, ...]:
    """Return the claims, every name in them checked.

    Raises:
        ConfigError: a key is missing or unknown, or an id comes twice, or there is no such study,
            statistic, argument, metric or unit, or a margin is missing, not positive, or not a
            number of the effect's unit; the message names the claim.
    """
    path = path or claims_path()
    entries = read_sections(path)["claims"]
    if not isinstance(entries, list) or not entries:
        raise ConfigError(f"{path}: claims must be a list of at least one claim")
    claims = tuple(_claim(entry, f"{path}: claim {i}") for i, entry in enumerate(entries, start=1))
    ids = [claim.id for claim in claims]
    if twice := {name for name in ids if ids.count(name) > 1}:
        raise ConfigError(f"{path}: claim ids {sorted(twice)} come twice")
    return claims


def _claim(entry: Any, place: str) -> Claim:
    if not isinstance(entry, dict):
        raise ConfigError(f"{place} is not a mapping: {entry!r}")
    place = f"{place} ({entry.get('id')!r})"
    if set(entry) != CLAIM_KEYS:
        raise ConfigError(
            f"{place}: missing {sorted(CLAIM_KEYS - set(entry))}, "
            f"unknown {sorted(set(entry) - CLAIM_KEYS)}"
        )
    for key in ("id", "statement", "source"):
        if not isinstance(entry[key], str) or not entry[key].strip():
            raise ConfigError(f"{place}: {key} is empty")
    if entry["kind"] not in KINDS:
        raise ConfigError(f"{place}: kind={entry['kind']!r} is unknown: valid are {list(KINDS)}")
    if not isinstance(entry["parts"], list) or not entry["parts"]:
        raise ConfigError(f"{place}: parts must be a list of at least one")
    return Claim(**{**entry, "parts": tuple(_part(part, place) for part in entry["parts"])})


def _part(entry: Any, place: str) -> Part:
    name = entry.get("statistic") if isinstance(entry, dict) else None
    if name not in STATISTICS:
        raise ConfigError(f"{place}: statistic {name!r} is unknown: valid are {list(STATISTICS)}")
    place = f"{place}, {name}"
    studies = entry.get("study")
    studies = (studies,) if isinstance(studies, str) else tuple(studies or ())
    if not studies or set(studies) - set(options("study")):
        raise ConfigError(
            f"{place}: study {list(studies)} is unknown: valid are {options('study')}"
        )
    arguments = {key: value for key, value in entry.items() if key not in PART_KEYS}
    statistic = build(STATISTICS[name], arguments, f"{place}: arguments")
    metric = arguments.get("metric")
    if "metric" in arguments and metric not in NAMES:
        raise ConfigError(f"{place}: metric={metric!r} is unknown: valid are {list(NAMES)}")
    bounds = {key: entry.get(key) for key in ("above", "below")}
    if sum(isinstance(bound, int | float) for bound in bounds.values()) != 1:
        raise ConfigError(f"{place}: exactly one of above and below must be a number: {bounds}")
    if statistic.unit not in UNITS:
        raise ConfigError(f"{place}: unit={statistic.unit!r} is unknown: valid are {list(UNITS)}")
    _check_margin(entry, statistic.unit, place)
    own = {f.name: entry.get(f.name) for f in fields(Part) if f.name in PART_KEYS}
    return Part(**{**own, "name": name, "statistic": statistic, "studies": studies})


def _check_margin(entry: dict[str, Any], unit: str, place: str) -> None:
    """Refuse a margin that is not a number of the unit, or that stands where none belongs."""
    bound = entry["above"] if entry.get("above") is not None else entry["below"]
    margin = entry.get("margin")
    if bound != 0:
        if margin is not None:
            raise ConfigError(
                f"{place}: margin={margin!r} beside a bound of {bound}, which is a margin itself"
            )
        return
    number = isinstance(margin, int | float) and not isinstance(margin, bool)
    if not (number and math.isfinite(margin) and 0 < margin < UNITS[unit]):
        below = " and below 1" if UNITS[unit] == 1 else ""
        raise ConfigError(
            f"{place}: margin={margin!r} is not valid: a bound of 0 needs one in the effect's "
            f"unit, {unit}: a number above 0{below}"
        )
