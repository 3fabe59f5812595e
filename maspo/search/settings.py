"""A search: its families, how many trials each has, and when a trial is stopped."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from itertools import pairwise
from typing import Any, cast

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maspo.config import Experiment, options, setting_of
from maspo.config.checks import Count, require, require_bounds
from maspo.config.files import compose_raw
from maspo.errors import ConfigError
from maspo.search.space import Range, check_space

USUAL = "gates"  # the file of configs/search/ where none is named


@dataclass
class Search:
    """What a file of `configs/search/` says."""

    trials: Count = MISSING  # of each family
    rungs: list[int] = MISSING  # steps behind which a trial may be stopped; the last ends it
    window: Count = MISSING  # steps whose accuracy is averaged at a rung
    first_seed: Count = MISSING
    seeds: Count = MISSING  # from which every trial trains
    sampler_seed: int = MISSING  # of Optuna's draws
    families: dict[str, Any] = field(default_factory=dict)  # to a range by setting

    def __post_init__(self) -> None:
        require_bounds(self, "search")
        rungs = list(self.rungs)
        steady = len(rungs) > 1 and 0 < rungs[0] < rungs[1] and rungs[1] % rungs[0] == 0
        steady = steady and all(b == a * (rungs[1] // rungs[0]) for a, b in pairwise(rungs))
        allowed = "two steps or more, each the same whole number of times the one before"
        require(steady, "search.rungs", rungs, allowed)
        require(self.window <= rungs[0], "search.window", self.window, f"at most {rungs[0]} (rung)")

    @property
    def reduction(self) -> int:
        """One trial of so many goes on at a rung."""
        return self.rungs[1] // self.rungs[0]

    @property
    def numbers(self) -> list[int]:
        """The seeds that every trial trains from."""
        return list(range(self.first_seed, self.first_seed + self.seeds))

    def cost(self) -> tuple[int, int, int]:
        """Return the RL steps of a family: at least, if exactly the best go on, and at most.

        The first trial is never stopped.
        """
        first, last = self.rungs[0], self.rungs[-1]
        halved, left, before = 0, self.trials, 0
        for rung in self.rungs:
            halved, before = halved + left * (rung - before), rung
            left = max(left // self.reduction, 1)
        least = last + (self.trials - 1) * first
        return self.seeds * least, self.seeds * halved, self.seeds * self.trials * last


def split_overrides(overrides: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the overrides of the search, ``search=...`` and ``search.<name>=...``, and others."""
    own = [text for text in overrides if setting_of(text).partition(".")[0] == "search"]
    return own, [text for text in overrides if text not in own]


def load_search(
    overrides: Sequence[str], experiment: Experiment, families: Sequence[str] = ()
) -> Search:
    """Return the search that the overrides describe, of all families or of some.

    Raises:
        ConfigError: there is no such file, family or setting, a value is not valid, or the search
            does not fit the experiment; the message names the value and what would be valid.
    """
    chosen = [text for text in overrides if setting_of(text) == "search"]
    name = chosen[-1].partition("=")[2] if chosen else USUAL
    if name not in options("search"):
        raise ConfigError(f"search={name} is unknown: valid are {options('search')}")
    changed = [text for text in overrides if text not in chosen]
    valid = [item.name for item in fields(Search)]
    for setting in map(setting_of, changed):
        if setting.split(".")[1] not in valid:
            raise ConfigError(f"setting {setting!r} is unknown: search has {valid}")
    raw = compose_raw(changed, f"search/{name}").search
    try:
        typed = OmegaConf.merge(OmegaConf.structured(Search), raw)
        search = cast(Search, OmegaConf.to_object(typed))
        search.families = {f: read_space(f, space) for f, space in raw.families.items()}
    except OmegaConfBaseException as error:
        raise ConfigError(f"search={name}: {error}") from error
    if unknown := [family for family in families if family not in search.families]:
        raise ConfigError(f"families {unknown} are unknown: valid are {list(search.families)}")
    if families:
        search.families = {family: search.families[family] for family in families}
    require(bool(search.families), "search.families", {}, "some family with its ranges")
    for family, space in search.families.items():
        check_space(family, space)
    check_fit(search, experiment)
    return search


def read_space(family: str, raw: Any) -> dict[str, Range]:
    """Return the ranges of a family's settings; OmegaConf does not type what lies so deep."""
    space = {}
    for name, values in (raw or {}).items():
        if not isinstance(values, Mapping):
            raise ConfigError(
                f"search.families.{family}.{name}={values!r} is no range: write "
                "{low: ..., high: ...} or {choices: [...]}"
            )
        typed = OmegaConf.merge(OmegaConf.structured(Range), values)
        space[name] = cast(Range, OmegaConf.to_object(typed))
    return space


def check_fit(search: Search, experiment: Experiment) -> None:
    """Refuse an experiment that the search cannot be made in."""
    steps, kind = experiment.train.steps, experiment.engine.kind
    require(
        search.rungs[-1] == steps,
        "search.rungs",
        list(search.rungs),
        f"a list that ends with {steps}: train.steps={steps}, over which the learning rate falls",
    )
    require(kind == "local", "engine.kind", kind, "local: a search trains with this package's loop")
    for name in ("variant", "variants", "seed"):
        value = getattr(experiment, name)
        require(value is None, name, value, "left out: families and seeds are the search's own")
