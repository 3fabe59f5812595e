"""Seconds of the parts of a piece of work, by name."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Measures blocks; `seconds` holds what each one took, in the order in which they ended."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Count the seconds of a block under a name; a block that fails is not counted."""
        start = time.perf_counter()
        yield
        self.seconds[part] = time.perf_counter() - start

    def total(self) -> float:
        """Return the seconds since the stopwatch was made."""
        return time.perf_counter() - self._start
