"""What a grader can say about one answer."""

from enum import StrEnum
from typing import NamedTuple


class Verdict(StrEnum):
    """The one judgement that training rewards and evaluation counts share.

    `timeout` and `error` say that the grader failed, not the answer: count and show them.
    """

    CORRECT = "correct"
    WRONG = "wrong"
    NO_ANSWER = "no_answer"
    TIMEOUT = "timeout"
    ERROR = "error"

    @property
    def reward(self) -> float:
        """1.0 for `correct`, 0.0 for everything else."""
        return 1.0 if self is Verdict.CORRECT else 0.0


class Judgement(NamedTuple):
    """A verdict with the answer it was given on (None where the completion has none)."""

    verdict: Verdict
    answer: str | None
