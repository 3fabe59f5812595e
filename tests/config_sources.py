"""The words that name where a value of a configuration comes from: the one list of them."""

import re

SOURCES = (
    *("paper", "not published"),
    *("released code", "released README", "released script"),  # of MASPO
    "assumed",  # by this project
    "structure",  # a name or a switch, no value
    # Other publications, their models and their data.
    *("BAPO", "DAPO", "DAPO-Math-17k", "DCPO", "DGPO", "DeepSeek-R1", "Dr. GRPO", "FlowRL"),
    *("GPT-3", "GSPO", "MiniMax-M1", "SAPO"),
)
COMMENT = re.compile(rf"\s#\s*({'|'.join(map(re.escape, SOURCES))})(?![\w-])")
UNREASONED = re.compile(r"\s#.*\bassumed\b(?!: \S)")


def source_of(line: str) -> str | None:
    """Return the source that a line of YAML names behind its value, None if it names none."""
    found = COMMENT.search(line)
    return found[1] if found else None


def lacks_reason(line: str) -> bool:
    """Return whether a line of YAML says `assumed` behind its value without `: reason`."""
    return bool(UNREASONED.search(line))
