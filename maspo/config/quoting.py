"""Any text as a value in Hydra's override grammar."""

import re


def quoted(text: str) -> str:
    """Return a text in quotes; ``${...}`` in it is still another setting's value."""
    # Backslashes stand for themselves, but for those before a quote.
    doubled = re.sub(r'\\+(?="|$)', r"\g<0>\g<0>", text)
    return '"' + doubled.replace('"', '\\"') + '"'
