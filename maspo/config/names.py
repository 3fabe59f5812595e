"""The names of variants: ``<objective>`` or ``<objective>@<field of train>_<value>``."""

import re
from collections.abc import Collection, Mapping
from types import NoneType
from typing import Any

from maspo.errors import ConfigError

VALUE = r"[A-Za-z0-9.+-]+"
CHANGE = re.compile(rf"(?P<field>[a-z]+(?:_[a-z]+)*)_(?P<value>{VALUE})")  # alpha_0.5, lr_0.0001
# Names are folders, parts of commands and of Hydra's overrides.
NAME = re.compile(r"[\w.+-]+(@[\w.+-]+)*", re.ASCII)
WORDS = {"true": True, "false": False, "none": None, "null": None}


def split_variant(variant: str) -> tuple[str, dict[str, str]]:
    """Return the objective's name and the settings of `train` that the variant changes, as text.

    Raises:
        ConfigError: there are other characters than a name may have, or what stands behind an
            ``@`` is not ``<field>_<value>``.
    """
    if not NAME.fullmatch(variant):
        raise ConfigError(
            f"variant {variant!r} is no name: it may have letters, digits and _ . + - and @ in "
            "front of each condition of training, as in maspo_alpha_0.5 and grpo@lr_0.0001"
        )
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


def read_value(text: str, kinds: Collection[Any]) -> Any:
    """Return the value that a name spells out, as one of the types `kinds`.

    Python's `str` of the value is its one spelling; others are read too, to say how it is written.

    Raises:
        ValueError: no type of `kinds` has such a value.
    """
    word = WORDS.get(text.lower(), text)
    if word is not text and type(word) in kinds:
        return word
    if str in kinds and re.fullmatch(VALUE, text):
        return text
    number = float(text)
    if int in kinds and number.is_integer():
        return int(number)
    if float in kinds:
        return number + 0.0  # -0.0 is 0.0
    raise ValueError(text)


def kinds_of(value: Any) -> set[Any]:
    """Return the types that a setting may have whose value in a file is `value`."""
    if isinstance(value, bool | str):
        return {type(value)}
    return {int, float, NoneType} if isinstance(value, int) else {float, NoneType}
