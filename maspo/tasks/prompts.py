"""From the text of a data set to the prompt of a policy.

The data sets wrap their problems in instructions of their own. Those are stripped to the bare
problem, and the task's template puts one instruction around all of them.
"""

from collections.abc import Sequence

PLACE = "{problem}"


def strip_instructions(text: str, instructions: Sequence[str]) -> str:
    """Return the bare problem: no instruction at its start or end, no space around it.

    An instruction in the middle of a text is part of the problem and stays.
    """
    text = text.strip()
    stripped = True
    while stripped:
        stripped = False
        for instruction in map(str.strip, instructions):
            if instruction and text.startswith(instruction):
                text, stripped = text.removeprefix(instruction).lstrip(), True
            if instruction and text.endswith(instruction):
                text, stripped = text.removesuffix(instruction).rstrip(), True
    return text


def fill(template: str, problem: str) -> str:
    """Return the message of a problem. Braces other than ``{problem}`` are literal."""
    before, _, after = template.partition(PLACE)
    return f"{before}{problem}{after}"
