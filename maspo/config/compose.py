"""From `configs/` and command-line overrides to a checked `Experiment`."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maspo.config.command import setting_of
from maspo.config.files import compose_raw, options
from maspo.config.grammar import quoted
from maspo.config.schema import KINDS, Experiment
from maspo.config.variants import objectives_with, with_variant
from maspo.errors import ConfigError
from maspo.layout import BASE_VARIANT

PATHS = ("results", "task.local_dir", "task.benchmark_files", "model.path", "engine.python")
LISTS = ("studies", "variants")
GROUPS = ("scale", "task", "model", "sampler", "train", "evaluate", "engine", "resources")


def load_experiment(overrides: Sequence[str] = ()) -> Experiment:
    """Return the experiment that the overrides describe, in Hydra's override grammar.

    Example: ``load_experiment(["scale=smoke", "train.lr=1e-4"])``. If a variant is named, the
    settings of `train` that it changes are changed. A path is taken as it stands, without Hydra's
    quotes around spaces and the like; ``~`` at its start is the home folder, as in a shell.
    Studies and variants may stand without the brackets of a list.
    ``full={main: 4}`` takes the place of the scale's, where Hydra would keep its other studies.

    Raises:
        ConfigError: an unknown scale, group option or setting, a value of the wrong type or out
            of range; the message names the setting and what would be valid.
    """
    overrides = [_spelled_out(override) for override in overrides]
    _check_names(overrides)
    anew = [part for text in overrides for part in _anew(text)]
    experiment = experiment_from(compose_raw(anew))
    if "evaluate.snapshot_problems" in map(setting_of, overrides):
        experiment.check_snapshots()
    if experiment.variant in (None, BASE_VARIANT):
        return experiment
    return with_variant(experiment, experiment.variant)


def _spelled_out(override: str) -> str:
    """Return an override in Hydra's grammar, whose paths have no umlaut, bracket or comma."""
    name, _, value = override.partition("=")
    value = value.strip()
    if name in LISTS and value and value[0] != "[":
        return f"{name}=[{value}]"
    if name not in PATHS or value in ("", "null") or value[0] in "'\"":
        return override
    return f"{name}={quoted(os.path.expanduser(value))}"


def experiment_from(raw: DictConfig | Mapping[str, Any]) -> Experiment:
    """Return the experiment that a composed configuration, or a manifest's, describes.

    Raises:
        ConfigError: an unknown setting, or a value of the wrong type or out of range.
    """
    raw = OmegaConf.create(raw)
    try:
        typed = OmegaConf.structured(Experiment)
        for group, kinds in KINDS.items():
            kind = raw[group].kind
            if kind not in kinds:
                raise ConfigError(f"{group}.kind={kind!r} is unknown: valid are {sorted(kinds)}")
            typed[group] = OmegaConf.structured(kinds[kind])
        return OmegaConf.to_object(OmegaConf.merge(typed, raw))
    except OmegaConfBaseException as error:
        raise ConfigError(_explain(error)) from error


def _anew(override: str) -> list[str]:
    """Return an override; of the whole mapping `full`, behind one that deletes the scale's."""
    return ["~full", f"+{override}"] if override.startswith("full=") else [override]


def _check_names(overrides: Sequence[str]) -> None:
    """Refuse unknown names before Hydra does, to say which names exist."""
    for override in overrides:
        name, sign, _ = override.partition("=")
        if not override.startswith("~") and (not sign or not name or name != name.strip()):
            raise ConfigError(
                f"{override!r} is no override: write NAME=VALUE without spaces, as in "
                "train.lr=1e-4 or full={main:4}, and quotes around a value that has them"
            )
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise ConfigError(
            f"an override of {list(overrides)} cannot be read (spaces, not commas, stand between "
            f"overrides): {error}"
        ) from error
    for override in parsed:
        name = override.key_or_group
        if name in GROUPS:
            if override.value() not in options(name):
                raise ConfigError(
                    f"{name}={override.value()} is unknown: valid are {options(name)}"
                )
            continue
        candidates = [Experiment]
        path = name.split(".")
        for depth, part in enumerate(path):
            valid = {f.name: kind for kind in candidates for f in fields(kind)}
            if part not in valid:
                place = ".".join(path[:depth]) or "the experiment"
                known = dict.fromkeys(_settings())  # kinds share some
                meant = [setting for setting in known if setting.split(".")[-1] == path[-1]]
                hint = f"; did you mean {' or '.join(meant)}?" if meant else ""
                if not meant and (having := objectives_with(name)):
                    own = "maspo" if "maspo" in having else having[0]
                    example = f"{own}_{name}_{override.value()}"
                    hint = f"; a setting of an objective stands in a variant's name: {example}"
                raise ConfigError(
                    f"setting {name!r} is unknown: {place} has {sorted(valid)}, not {part!r}{hint}"
                )
            types = [get_type_hints(k)[part] for k in candidates if hasattr(k, part)]
            if depth == 0 and part in KINDS:
                types = list(KINDS[part].values())
            candidates = [t for t in types if is_dataclass(t)]
            if not candidates:
                break  # a plain value, or a free mapping such as model.architecture


def _settings(kind: type = Experiment, place: str = "") -> Iterator[str]:
    """Yield the full name of every setting."""
    for name, hint in get_type_hints(kind).items():
        yield f"{place}{name}"
        for inner in KINDS[name].values() if name in KINDS else [hint]:
            if is_dataclass(inner):
                yield from _settings(inner, f"{place}{name}.")


def _explain(error: OmegaConfBaseException) -> str:
    reason = str(error.msg if hasattr(error, "msg") else error).splitlines()[0]
    where = getattr(error, "full_key", None)
    message = f"setting {where!r}: {reason}" if where else reason
    parent = getattr(error, "parent_node", None)
    kind = OmegaConf.get_type(parent) if parent is not None else None
    if getattr(error, "key", None) and is_dataclass(kind):
        names = [field.name for field in fields(kind)]
        if error.key not in names:
            message += f"; valid are {sorted(names)}"
    return message


def as_dict(settings: Any) -> dict[str, Any]:
    """Return a configuration dataclass as plain containers, for manifests and rule params."""
    return OmegaConf.to_container(OmegaConf.structured(settings))
