"""From ``snakemake --config KEY=VALUE`` to the overrides of the experiment."""

import re
import shlex
from collections.abc import Mapping
from typing import Any

from maspo.config.grammar import hydra_value
from maspo.errors import ConfigError

SET_BY_RULES = ("suite", "tables_of", "variant", "seed")


def overrides_of(config: Mapping[str, Any]) -> list[str]:
    """Return the overrides that the keys scale, seeds, studies, variants and overrides ask for.

    Raises:
        ConfigError: `overrides` has an open quote, names what a rule of the workflow sets or what
            has a key of its own; or studies and variants are both given.
    """
    text = config.get("overrides", "")
    try:
        overrides = shlex.split(closed(text))
    except ValueError as error:
        raise ConfigError(f"--config overrides={text!r} cannot be split: {error}") from error
    for override in overrides:
        name = setting_of(override).partition(".")[0]
        if name in SET_BY_RULES:
            raise ConfigError(
                f"--config overrides={text!r}: {name} is set by the rules of the workflow, from "
                "the target and its wildcards; leave it out (python -m maspo.steps.<step> takes it)"
            )
        if name == "scale" or (name in config and name != "overrides"):
            raise ConfigError(
                f"--config overrides={text!r}: write --config {name}=... for it, once"
            )
    if "studies" in config and "variants" in config:
        raise ConfigError(
            "--config studies=... and variants=... cannot go together: variants are a study of "
            "their own, the suite `custom`"
        )
    keys = [f"seeds={config['seeds']}"] if "seeds" in config else []
    for key in ("studies", "variants"):
        if key in config:
            names = [name.strip() for name in config[key].split(",")]
            keys.append(f"{key}={hydra_value(names)}")
    return [f"scale={config['scale']}", *overrides, *keys]


def closed(text: str) -> str:
    """Return a text with the quote that Snakemake takes off its end."""
    opened = re.search(r"=([\"'])((?!\1).)*$", text)
    return text + opened[1] if opened else text


def setting_of(override: str) -> str:
    """Return the full name of the setting that an override of Hydra changes."""
    return override.lstrip("+~").partition("=")[0]
