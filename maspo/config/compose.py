"""From `configs/` and command-line overrides to a checked `Experiment`."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, get_type_hints

from hydra import compose, initialize_config_dir
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maspo.config.names import split_variant
from maspo.config.quoting import quoted
from maspo.config.schema import KINDS, Experiment
from maspo.errors import ConfigError

PATHS = ("results", "task.local_dir", "task.benchmark_files", "model.path", "engine.python")
GROUPS = ("scale", "task", "model", "sampler", "train", "evaluate", "engine", "resources")


def config_dir() -> Path:
    """Return the folder of the Hydra configuration: $MASPO_CONFIGS, or this checkout's."""
    folder = Path(os.environ.get("MASPO_CONFIGS", Path(__file__).parents[2] / "configs"))
    if not (folder / "config.yaml").is_file():
        raise ConfigError(
            f"{folder} holds no config.yaml: run from an editable install of the checkout "
            "(pip install -e .) or point MASPO_CONFIGS at its configs folder"
        )
    return folder.resolve()


def options(group: str) -> list[str]:
    """Return the names that a configuration group offers, for example of `objective`."""
    return sorted(path.stem for path in (config_dir() / group).glob("*.yaml"))


def compose_raw(overrides: Sequence[str], file: str = "config") -> DictConfig:
    """Compose a file of `configs/` with Hydra; report a bad override as `ConfigError`."""
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            return compose(file, overrides=list(overrides))
    except HydraException as error:
        raise ConfigError(f"overrides {list(overrides)}: {error}") from error


def load_experiment(overrides: Sequence[str] = ()) -> Experiment:
    """Return the experiment that the overrides describe, in Hydra's override grammar.

    Example: ``load_experiment(["scale=smoke", "train.lr=1e-4"])``. If a variant is named, the
    settings of `train` that it changes are changed. A path is taken as it stands, without Hydra's
    quotes around spaces and the like; ``~`` at its start is the home folder, as in a shell.

    Raises:
        ConfigError: an unknown scale, group option or setting, a value of the wrong type or out
            of range; the message names the setting and what would be valid.
    """
    overrides = [_with_quoted_path(override) for override in overrides]
    _check_names(overrides)
    raw = compose_raw(overrides)
    if raw.variant:
        _, changed = split_variant(raw.variant)
        changed = [f"train.{name}={value}" for name, value in changed.items()]
        if changed:
            _check_names(changed)
            raw = compose_raw([*overrides, *changed])
    return experiment_from(raw)


def _with_quoted_path(override: str) -> str:
    """Return the override of a path in quotes: Hydra's grammar has no umlaut, bracket or comma."""
    name, _, value = override.partition("=")
    value = value.strip()
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


def _check_names(overrides: Sequence[str]) -> None:
    """Refuse unknown names before Hydra does, to say which names exist."""
    try:
        parsed = OverridesParser.create().parse_overrides(list(overrides))
    except HydraException as error:
        raise ConfigError(f"an override of {list(overrides)} cannot be read: {error}") from error
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
                raise ConfigError(
                    f"setting {name!r} is unknown: {place} has {sorted(valid)}, not {part!r}"
                )
            types = [get_type_hints(k)[part] for k in candidates if hasattr(k, part)]
            if depth == 0 and part in KINDS:
                types = list(KINDS[part].values())
            candidates = [t for t in types if is_dataclass(t)]
            if not candidates:
                break  # a plain value, or a free mapping such as model.architecture


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
