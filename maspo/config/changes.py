"""From an experiment back to the command that makes it."""

from collections.abc import Iterator, Mapping
from typing import Any

from maspo.config.compose import as_dict, load_experiment
from maspo.config.files import options
from maspo.config.grammar import hydra_value
from maspo.config.schema import Experiment
from maspo.errors import ConfigError

GROUPS = ("task", "model", "sampler", "engine")  # whose files are choices, and not a scale's
CHOOSE = ("studies", "variants", "seeds")  # what the suites other than full are of
# Of one step, chosen by the workflow, or of where jobs run.
LEFT_OUT = ("scale", "suite", "tables_of", "variant", "seed", "resources", *CHOOSE)


def changes(experiment: Experiment) -> list[str]:
    """Return the overrides that make an experiment from its scale, but for those of a suite.

    A group of settings that is a file of `configs/` is told by its name. What the scale's own kind
    of task, model, sampler or engine has no setting for is left out.

    Example: ``["results=results/fresh", "first_seed=13", "sampler=fused"]``.
    """
    base = [f"scale={experiment.scale}"]
    own = as_dict(experiment)
    scale = as_dict(load_experiment(base))
    for group in GROUPS:
        if own[group] != scale[group]:
            own[group] = _option(base, group, own[group]) or own[group]
    before = dict(_leaves(scale)) | dict.fromkeys(GROUPS)
    return [
        f"{name}={hydra_value(value)}"
        for name, value in _leaves(own)
        if name in before and before[name] != value
    ]


def _option(base: list[str], group: str, settings: Mapping[str, Any]) -> str | None:
    """Return the file of a group that holds exactly these settings, if there is one."""
    for option in options(group):
        try:
            if as_dict(load_experiment([*base, f"{group}={option}"]))[group] == settings:
                return option
        except ConfigError:  # does not go with the scale's other settings
            continue
    return None


def _leaves(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every setting with its full name; `full` is one."""
    for name, value in settings.items():
        if not prefix and name in LEFT_OUT:
            continue
        if isinstance(value, Mapping) and name != "full":
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def chosen(experiment: Experiment) -> dict[str, Any]:
    """Return the keys of `snakemake --config` that chose the suite, where it is not the scale's."""
    if experiment.suite == "full":
        return {}
    scale = load_experiment([f"scale={experiment.scale}"])
    values = {name: getattr(experiment, name) for name in CHOOSE}
    return {name: value for name, value in values.items() if value != getattr(scale, name)}


def workflow_command(
    experiment: Experiment, suite: str, keys: Mapping[str, Any], overrides: list[str]
) -> str:
    """Return the command that makes a suite; `keys` are of `--config`, see `chosen`."""
    words = ["snakemake --cores all", *(["full"] if suite == "full" else []), "--config"]
    words.append(f"scale={experiment.scale}")
    for name, value in keys.items():
        words.append(f"{name}={','.join(value) if isinstance(value, list | tuple) else value}")
    if overrides:
        text = " ".join(overrides)
        quote = "'" if '"' in text else '"'
        words.append(f"overrides={quote}{text}{quote}")
    return " ".join(words)
