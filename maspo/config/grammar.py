"""Values in Hydra's override grammar."""

import re
from typing import Any

PLAIN = re.compile(r"[\w./:@+-]+")  # what Hydra reads as a text without quotes


def hydra_value(value: Any) -> str:
    """Return a value as an override of Hydra spells it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return "[" + ",".join(map(hydra_value, value)) + "]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{hydra_value(part)}" for key, part in value.items()) + "}"
    text = str(value)
    return text if PLAIN.fullmatch(text) else quoted(text)


def quoted(text: str) -> str:
    """Return a text in quotes; ``${...}`` in it is still another setting's value."""
    # Backslashes stand for themselves, but for those before a quote.
    doubled = re.sub(r'\\+(?="|$)', r"\g<0>\g<0>", text)
    return '"' + doubled.replace('"', '\\"') + '"'
