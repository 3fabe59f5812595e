"""What a check is, and how checks are run."""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from maspo.gpu_check.bench import Bench

Measured = dict[str, Any]


class Failed(Exception):
    """What a check found wrong."""


def expect(condition: bool, message: str) -> None:
    """Raise `Failed` unless the condition holds."""
    if not condition:
        raise Failed(message)


@dataclass(frozen=True)
class Check:
    """One check: `run` returns what it measured, or raises."""

    name: str
    run: Callable[[Bench], Measured]
    cuda_only: str | None  # why it has no meaning on a CPU
    library: str | None  # that it needs


@dataclass
class Outcome:
    """How a check ended: passed, failed or skipped; `message` says why not passed."""

    name: str
    status: str
    seconds: float = 0.0
    message: str = ""
    measured: Measured = field(default_factory=dict)


def check(
    name: str, cuda_only: str | None = None, library: str | None = None
) -> Callable[[Callable[[Bench], Measured]], Check]:
    """Make a check of a function."""
    return lambda run: Check(name, run, cuda_only, library)


def run_checks(bench: Bench, checks: Iterable[Check]) -> Iterator[Outcome]:
    """Run the checks one after the other; a failure of one ends none of the others."""
    for one in checks:
        if one.cuda_only and bench.device != "cuda":
            yield Outcome(one.name, "skipped", message=f"on a CPU: {one.cuda_only}")
            continue
        if one.library and find_spec(one.library) is None:
            yield Outcome(one.name, "skipped", message=f"{one.library} is not installed")
            continue
        start = time.perf_counter()
        try:
            measured = one.run(bench)
            outcome = Outcome(one.name, "passed", measured=measured)
        except Failed as found:
            outcome = Outcome(one.name, "failed", message=str(found))
        except Exception as error:  # a GPU raises many types; the next check may still tell more
            where = "".join(traceback.format_tb(error.__traceback__, -4))
            message = f"{type(error).__name__}: {error}\n{where}"
            outcome = Outcome(one.name, "failed", message=message)
        outcome.seconds = time.perf_counter() - start
        bench.free()
        yield outcome
