"""Gold answers as text: one place for the data step and for the rewards of verl and TRL."""

import math
from collections.abc import Sequence
from decimal import Decimal
from numbers import Real
from typing import Any

from maspo.errors import DataError


def gold_text(value: Any, where: str) -> str:
    """Return a gold answer as text: 27.0 is ``27``, several answers are joined by commas.

    Scalars and arrays of numpy, which Parquet readers hand out, count as what they hold.

    Args:
        value: text, a number, or a list of those.
        where: file and row, for the message.

    Raises:
        DataError: there is no answer, or it is of another shape (a dict, NaN, True).
    """
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        text = ", ".join(gold_text(part, where) for part in value)
    elif isinstance(value, Real | Decimal) and not isinstance(value, bool) and math.isfinite(value):
        text = str(int(value) if value == int(value) else value)
    elif isinstance(value, str) or value is None:
        text = (value or "").strip()
    else:
        raise DataError(
            f"{where}: the gold answer is {value!r}, expected text, a number or a list of those"
        )
    if not text:
        raise DataError(f"{where}: there is no gold answer")
    return text
