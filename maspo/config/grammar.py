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
    text = str(value)
    if PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
