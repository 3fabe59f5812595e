"""Faults for tests: only a worker started with `--faults` imports this.

The switch is a command-line flag of the worker, set by `Verifier(..., faults=True)`; without it the
texts below are graded like any other answer. No text of a model can set it.
"""

import os
import signal
import time
from collections.abc import Callable


def _hang() -> None:
    while True:
        pass


def _hold_lock() -> None:
    pow(7, 7**9)  # one C call for hours, with the interpreter lock held


def _work() -> None:
    until = time.process_time() + 1.5
    while time.process_time() < until:
        pass


def _crash() -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def _fill_memory() -> None:
    blocks = []
    try:
        while True:
            blocks.append(bytearray(2**24))
    except MemoryError:  # as sympy does: an allocation limit alone would end in `wrong`
        blocks.clear()


FAULTS: dict[str, Callable[[], object]] = {
    "fault:hang": _hang,
    "fault:hold_lock": _hold_lock,
    "fault:work": _work,
    "fault:sleep": lambda: time.sleep(3600),
    "fault:crash": _crash,
    "fault:exit": lambda: os._exit(0),
    "fault:memory": _fill_memory,
}


def obeying(decide: Callable[[str, str], str]) -> Callable[[str, str], str]:
    """`decide` that first commits the fault an answer names, then decides the rest behind it."""

    def decide_or_fail(answer: str, gold: str) -> str:
        name, _, rest = answer.partition(" ")
        if fault := FAULTS.get(name):
            fault()
            answer = rest
        return decide(answer, gold)

    return decide_or_fail
