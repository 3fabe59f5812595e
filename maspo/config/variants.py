"""From the name of a variant to what it changes: the objective's settings and those of training.

A variant is ``<objective>``, a file of `configs/objective/`; or ``<objective>_<field>_<value>``,
one with a changed field, as in ``maspo_alpha_0.5``; and either may be trained under other
conditions than the scale's, as in ``grpo@lr_0.0001`` or ``maspo@updates_per_batch_1``. Equal
settings have one name: that of a file, if one has them; numbers as Python writes them.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, replace
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from omegaconf import DictConfig, ListConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from maspo.config.files import config_dir, options
from maspo.config.names import CHANGE, join_variant, kinds_of, read_value, split_variant
from maspo.config.schema import Experiment, Train
from maspo.errors import ConfigError, MaspoError

# The paper writes one beta for the two risk factors.
SHARED_FIELDS = {"beta": ("beta_high", "beta_low")}


def objective_settings(variant: str) -> dict[str, Any]:
    """Return the Hydra node (`_target_` and fields) of a variant's objective.

    ``beta`` in a variant's name stands for both of MASPO's betas.

    Raises:
        ConfigError: the objective is unknown; the message lists the files and, for a known file,
            its fields.
    """
    base, change = _base(variant)
    settings = dict(_file_settings(config_dir(), base))
    if change is None:
        return settings
    field, value = change["field"], change["value"]
    for name in SHARED_FIELDS.get(field, (field,)):
        if name not in settings:
            fields = sorted(set(settings) - {"_target_"})
            raise ConfigError(f"variant {variant!r}: {base} has no {name!r}, it has {fields}")
        try:
            settings[name] = read_value(value, kinds_of(settings[name]))
        except ValueError as error:
            raise ConfigError(f"variant {variant!r}: {value!r} is no value of {name!r}") from error
    return settings


def objectives_with(field: str) -> list[str]:
    """Return the files of objectives that have a field, for a message."""
    return [
        name
        for name in options("objective")
        if set(SHARED_FIELDS.get(field, (field,))) <= set(_file_settings(config_dir(), name))
    ]


def _base(variant: str) -> tuple[str, re.Match[str] | None]:
    """Return the file of a variant's objective, and the `CHANGE` behind it if there is one."""
    name, _ = split_variant(variant)
    known = options("objective")
    if name in known:
        return name, None
    for base in sorted(known, key=len, reverse=True):
        change = CHANGE.fullmatch(name.removeprefix(f"{base}_"))
        if change and name.startswith(f"{base}_"):
            return base, change
    close = get_close_matches(name, known, 1)
    hint = f"did you mean {close[0]!r}? Valid" if close else "valid"
    raise ConfigError(
        f"variant {variant!r} is unknown: {hint} are {known}, or one of them with a changed "
        "field, as in maspo_alpha_0.5"
    )


@cache  # a suite asks for the same few files dozens of times
def _file_settings(folder: Path, name: str) -> dict[str, Any]:
    """Return the settings of a file of `configs/objective/` over those of its ancestors.

    What Hydra composes, which would take a tenth of a second for each of the thirty files.
    """
    line = [_read(folder, ancestor) for ancestor in reversed(_ancestors(folder, name))]
    try:
        settings = OmegaConf.to_container(OmegaConf.merge(*line))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{folder}/objective/{name}.yaml: {error}") from error
    settings.pop("defaults", None)
    return settings


@cache
def _read(folder: Path, name: str) -> DictConfig:
    """Return a file of `configs/objective/` as it is written."""
    path = folder / "objective" / f"{name}.yaml"
    try:
        read = OmegaConf.load(path)
    except (OSError, ValueError, YAMLError, OmegaConfBaseException) as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    if not isinstance(read, DictConfig):
        raise ConfigError(f"{path} must hold settings, as `name: value`")
    return read


@cache
def _ancestors(folder: Path, name: str, below: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return a file of `configs/objective/` and those that it changes, the nearest first.

    `below` are the files that change it, none of which it may change.
    """
    defaults = _read(folder, name).get("defaults", ["_self_"])
    *parents, last = defaults if isinstance(defaults, list | ListConfig) and defaults else [None]
    if last != "_self_" or not {*parents} <= {*options("objective")} - {name, *below}:
        raise ConfigError(
            f"{folder}/objective/{name}.yaml: defaults must be other objectives, of "
            f"{options('objective')}, and _self_ at the end, got {defaults}"
        )
    below = (*below, name)
    return (name, *(n for parent in reversed(parents) for n in _ancestors(folder, parent, below)))


def _objective_name(name: str) -> str:
    """Return the one name of an objective: a file's, or the plainest file's with a change."""
    base, change = _base(name)
    if change is None:
        return base
    folder, settings = config_dir(), objective_settings(name)
    root = _ancestors(folder, base)[-1]
    found = []
    for file in options("objective"):
        line = _ancestors(folder, file)
        if line[-1] != root:
            continue
        usual = _file_settings(folder, file)
        if (usual.keys(), usual["_target_"]) != (settings.keys(), settings["_target_"]):
            continue
        changed = {k: v for k, v in settings.items() if v != usual[k]}
        for shared, fields in SHARED_FIELDS.items():
            if changed.keys() == set(fields) and len(set(changed.values())) == 1:
                changed = {shared: changed[fields[0]]}
        if len(changed) <= 1:
            spelled = "".join([file, *(f"_{k}_{v}" for k, v in changed.items())])
            found.append((len(changed), len(line), len(spelled), spelled))
    return min(found)[-1]


def build_objective(variant: str) -> Any:
    """Return the objective of a variant, with every setting checked; see `build_scheduled`.

    Settings with a schedule are those of the first step.
    """
    return build_scheduled(variant).first


def build_scheduled(variant: str) -> Any:
    """Return the `maspo.objectives.schedules.Scheduled` objective of a variant, checked.

    Raises:
        ConfigError: the variant is unknown, or the objective refuses its settings, at the ends of
            their schedules too.
    """
    return scheduled_from(objective_settings(variant), f"variant {variant!r}")


def scheduled_from(settings: dict[str, Any], place: str) -> Any:
    """Return the `Scheduled` objective of such a node as `objective_settings` gives, checked.

    Raises:
        ConfigError: as `build_scheduled`; it begins with `place`.
    """
    from hydra.utils import instantiate

    from maspo.objectives.schedules import Scheduled, read_settings

    try:
        starts, schedules = read_settings(settings)
        return Scheduled(instantiate(starts), schedules)
    except Exception as error:
        cause = error.__cause__  # what the objective itself says
        reason = cause if isinstance(cause, TypeError | ValueError | MaspoError) else error
        raise ConfigError(f"{place}: {reason}") from error


def condition_values(variant: str) -> dict[str, Any]:
    """Return the settings of `train` that a variant's name changes, with their values.

    Raises:
        ConfigError: `train` has no such setting, or it cannot have the value.
    """
    texts = split_variant(variant)[1]
    return {name: read_condition(f"variant {variant!r}", name, texts[name]) for name in texts}


def read_condition(place: str, name: str, text: str) -> Any:
    """Return the value of a setting of `train` as a name spells it out; `place` is for errors."""
    hints = get_type_hints(Train)
    if name not in hints:
        raise ConfigError(f"{place}: train has no {name!r}, it has {sorted(hints)}")
    hint = hints[name]
    try:
        return read_value(text, get_args(hint) if isinstance(hint, UnionType) else [hint])
    except ValueError as error:
        raise ConfigError(f"{place}: {text!r} is no value of train.{name}") from error


def one_name(variant: str, train: Train, conditions: Mapping[str, Any] | None = None) -> str:
    """Return the one name of a variant under a study's conditions and those of its own name.

    `train` holds the scale's settings: conditions that equal them are left out.
    """
    objective, _ = split_variant(variant)
    usual = asdict(train)
    changed = {**(conditions or {}), **condition_values(variant)}
    own = {name: value for name, value in changed.items() if value != usual[name]}
    return join_variant(_objective_name(objective), own)


def with_variant(experiment: Experiment, variant: str) -> Experiment:
    """Return the experiment with the settings of `train` that a variant changes.

    Raises:
        ConfigError: the variant is unknown, is another spelling of its name, or its objective,
            `train`, the engine or the whole experiment refuses a setting.
    """
    scheduled = build_scheduled(variant)
    if experiment.engine.kind == "verl" and scheduled.steered_by:
        from maspo.objectives.schedules import check_steering

        try:
            check_steering(scheduled)
        except ValueError as error:
            raise ConfigError(f"variant {variant!r}, engine.kind=verl: {error}") from error
    if (name := one_name(variant, experiment.train)) != variant:
        raise ConfigError(
            f"variant {variant!r} is written {name!r} at this scale, so that a run has one name: "
            "conditions in alphabetical order, without what is the file's or the scale's own, "
            "numbers as Python writes them"
        )
    try:
        train = replace(experiment.train, **condition_values(variant))
        return replace(experiment, train=train)
    except ConfigError as error:
        raise ConfigError(f"variant {variant!r}: {error}") from error
