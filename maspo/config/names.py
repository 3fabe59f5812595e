"""The names of variants: ``<objective>`` or ``<objective>@<field of train>_<value>``."""

import re
from collections.abc import Mapping
from typing import Any

from maspo.errors import ConfigError

CHANGE = re.compile(r"(?P<field>[a-z_]+)_(?P<value>[^_]+)")  # alpha_0.5, lr_0.0001


def split_variant(variant: str) -> tuple[str, dict[str, str]]:
    """Return the objective's name and the settings of `train` that the variant changes, as text.

    Raises:
        ConfigError: what stands behind an ``@`` is not ``<field>_<value>``.
    """
    objective, *conditions = variant.split("@")
    changed = {}
    for condition in conditions:
        if not (match := CHANGE.fullmatch(condition)):
            raise ConfigError(
                f"variant {variant!r}: {condition!r} is not <field of train>_<value>, "
                "as in grpo@lr_0.0001"
            )
        changed[match["field"]] = match["value"]
    return objective, changed


def join_variant(objective: str, changed: Mapping[str, Any]) -> str:
    """Return the one name of a variant; equal settings give equal names, so fields are sorted.

    Example: ``join_variant("grpo", {"lr": 1e-5})`` is ``grpo@lr_1e-05``.
    """
    return "".join([objective, *(f"@{field}_{value}" for field, value in sorted(changed.items()))])
