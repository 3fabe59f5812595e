"""From the name of a variant to what it changes: the objective's settings and those of training.

A variant is ``<objective>``, a file of `configs/objective/`; or ``<objective>_<field>_<value>``,
one with a changed field, as in ``maspo_alpha_0.5``; and either may be trained under other
conditions than the scale's, as in ``grpo@lr_0.0001`` or ``maspo@updates_per_batch_1``.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from omegaconf import OmegaConf

from maspo.config.compose import compose_raw, config_dir, options
from maspo.config.names import CHANGE, split_variant
from maspo.errors import ConfigError

# The paper writes one beta for the two risk factors.
SHARED_FIELDS = {"beta": ("beta_high", "beta_low")}


def objective_settings(variant: str) -> dict[str, Any]:
    """Return the Hydra node (`_target_` and fields) of a variant's objective.

    ``beta`` in a variant's name stands for both of MASPO's betas.

    Raises:
        ConfigError: the objective is unknown; the message lists the files and, for a known file,
            its fields.
    """
    name, _ = split_variant(variant)
    known = options("objective")
    if name in known:
        return dict(_file_settings(config_dir(), name))
    match = None
    for base in sorted(known, key=len, reverse=True):
        if name.startswith(f"{base}_") and (
            match := CHANGE.fullmatch(name.removeprefix(f"{base}_"))
        ):
            break
    if not match:
        raise ConfigError(
            f"variant {variant!r} is unknown: valid are {known}, or one of them with a changed "
            "field, as in maspo_alpha_0.5"
        )
    settings = objective_settings(base)
    value = yaml.safe_load(match["value"])
    for field in SHARED_FIELDS.get(match["field"], (match["field"],)):
        if field not in settings:
            fields = sorted(set(settings) - {"_target_"})
            raise ConfigError(f"variant {variant!r}: {base} has no {field!r}, it has {fields}")
        whole_for_real = type(value) is int and type(settings[field]) is float
        settings[field] = float(value) if whole_for_real else value
    return settings


@cache  # a suite asks for the same few files dozens of times
def _file_settings(folder: Path, name: str) -> dict[str, Any]:
    """Return the settings of a file of `configs/objective/`."""
    return OmegaConf.to_container(compose_raw([], f"objective/{name}").objective)


def build_objective(variant: str) -> Any:
    """Return the objective of a variant, with every setting checked.

    Raises:
        ConfigError: the variant is unknown, or the objective refuses its settings.
    """
    from hydra.utils import instantiate

    settings = objective_settings(variant)
    try:
        return instantiate(settings)
    except Exception as error:
        raise ConfigError(f"variant {variant!r}: {settings}: {error}") from error
