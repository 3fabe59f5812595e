"""The sandbox: `python -m maspo.verifier.worker` answers requests on stdin, one JSON line each.

Two processes. The keeper imports math-verify once, never looks at model text, and forks a child;
the child does the work. Where a child dies the keeper says why and forks the next one from its
own warm memory, so recovery takes milliseconds instead of an import.

- CPU time: a kernel timer (ITIMER_PROF) with its default action kills the child. No Python code
  has to run for it, so a long C computation that holds the interpreter lock cannot stop it.
- Memory: the keeper watches the child's resident size and kills it. An allocation limit alone would
  not do: sympy swallows MemoryError and math-verify would then call the answer wrong.
- Wall clock: the keeper kills a child that neither answers nor uses CPU time. One that waits for
  its turn on a busy machine lives on (where there is no /proc the whole time counts).
- The caller's death closes stdin: the keeper kills its child and ends, also in mid-computation.
"""

import argparse
import contextlib
import json
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

WATCH_SECONDS = 0.01
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROBE = ("1+x", "x+1")
_REQUESTS, _REPLIES = 0, 3  # descriptors of a child; 1 and 2 stay what they are


class Limits(NamedTuple):
    """What one request may use: CPU seconds, resident MiB, wall-clock seconds without CPU time."""

    cpu_seconds: float
    memory_mb: int
    wall_seconds: float


class Child:
    """A forked process that answers requests; `decide` maps (answer, gold) to a verdict."""

    def __init__(self, limits: Limits, decide: Callable[[str, str], str]):
        self.limits = limits
        request_read, self._to = os.pipe()
        self._from, reply_write = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(request_read, _REQUESTS)
            os.dup2(reply_write, _REPLIES)
            os.closerange(_REPLIES + 1, 1024)  # nothing else is open in there
            _serve(limits, decide)
        os.close(request_read)
        os.close(reply_write)

    def ask(self, request: bytes) -> str:
        """The child's verdict, or `timeout` or `died`; after those two it is gone.

        Raises:
            EOFError: the caller closed its end; the child was killed.
        """
        try:
            _write(self._to, request)
        except BrokenPipeError:
            return self.end()
        events = select.poll()
        events.register(self._from, select.POLLIN)
        events.register(0, 0)  # hang-up only
        used, busy_until = -1, time.monotonic()
        while True:
            ready = dict(events.poll(WATCH_SECONDS * 1000))
            if self._from in ready:
                reply = os.read(self._from, 256).decode()
                return reply if reply else self.end()
            if 0 in ready:
                self.end(signal.SIGKILL)
                raise EOFError
            runs, ticks = self._cpu()
            if runs or ticks != used:
                used, busy_until = ticks, time.monotonic()
            if time.monotonic() > busy_until + self.limits.wall_seconds:
                self.end(signal.SIGKILL)
                return "timeout"
            if self._resident_mb() > self.limits.memory_mb:
                return self.end(signal.SIGKILL)

    def end(self, kill: int = 0) -> str:
        """Wait for the child, killing it first if asked: `timeout` where its CPU timer ended it."""
        if kill:
            os.kill(self.pid, kill)
        os.close(self._to)
        os.close(self._from)
        _, status = os.waitpid(self.pid, 0)
        cpu = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGPROF
        return "timeout" if cpu else "died"

    def _cpu(self) -> tuple[bool, int]:
        """Whether the child runs or waits for its turn, and its CPU time so far in clock ticks."""
        try:
            with open(f"/proc/{self.pid}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
            return fields[0] == "R", int(fields[11]) + int(fields[12])
        except (OSError, IndexError):
            return False, 0  # not Linux, or just gone: then the pipe says so

    def _resident_mb(self) -> float:
        try:
            with open(f"/proc/{self.pid}/statm") as file:
                return int(file.read().split()[1]) * _PAGE / 2**20
        except (OSError, IndexError):
            return 0.0  # not Linux, or just gone: then the pipe says so


def _serve(limits: Limits, decide: Callable[[str, str], str]) -> None:
    """The child: answer until the keeper closes the pipe. Never returns."""
    try:
        _limit("RLIMIT_AS", (limits.memory_mb + 1024) * 2**20)  # stops one giant allocation
        _limit("RLIMIT_CORE", 0)
        for line in os.fdopen(_REQUESTS):
            request = json.loads(line)
            signal.setitimer(signal.ITIMER_PROF, limits.cpu_seconds)
            verdict = decide(request["answer"], request["gold"])
            signal.setitimer(signal.ITIMER_PROF, 0)
            os.write(_REPLIES, verdict.encode())
        os._exit(0)
    except BaseException:
        os._exit(1)


def _limit(name: str, most: int) -> None:
    """Lower a limit of this process; one that is lower stays, one the platform refuses is skipped.

    macOS refuses a limit on address space: there the resident size alone is watched.
    """
    kind = getattr(resource, name, None)
    if kind is None:
        return
    hard = resource.getrlimit(kind)[1]
    limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(kind, (limit, limit))


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def keep(limits: Limits, decide: Callable[[str, str], str], replies: int) -> None:
    """Say `ready` once a child answers, then one verdict line for each request line.

    A child that died for another reason than its time limit may be the victim of an earlier
    request (memory fills up): the request is tried once more, on a fresh child, before `error`.

    Raises:
        RuntimeError: the first child does not answer a simple question.
    """
    child = Child(limits, decide)
    answer, gold = _PROBE
    verdict = child.ask(json.dumps({"answer": answer, "gold": gold}).encode() + b"\n")
    if verdict != "correct":
        raise RuntimeError(
            f"a child says {verdict} to {answer} = {gold}: {limits} or a limit of this machine "
            "(see ulimit -a) leave it no room"
        )
    _write(replies, b"ready\n")
    for request in sys.stdin.buffer:
        verdict = child.ask(request)
        if verdict == "died":
            child = Child(limits, decide)
            verdict = child.ask(request)
        if verdict in ("died", "timeout"):
            child = Child(limits, decide)
        _write(replies, (("error" if verdict == "died" else verdict) + "\n").encode())


def main(arguments: list[str] | None = None) -> None:
    """Entry point; `ready` says that the first request may come."""
    parser = argparse.ArgumentParser(prog="maspo.verifier.worker")
    parser.add_argument("--cpu-seconds", type=float, required=True)
    parser.add_argument("--memory-mb", type=int, required=True)
    parser.add_argument("--wall-seconds", type=float, required=True)
    parser.add_argument("--faults", action="store_true", help="tests: obey fault requests")
    options = parser.parse_args(arguments)
    replies = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints is not a reply
    from maspo.verifier import equivalence

    equivalence.warm_up()
    decide = equivalence.decide
    if options.faults:
        from maspo.verifier import faults

        decide = faults.obeying(decide)
    limits = Limits(options.cpu_seconds, options.memory_mb, options.wall_seconds)
    try:
        keep(limits, decide, replies)
    except (EOFError, BrokenPipeError):
        os._exit(0)


if __name__ == "__main__":
    main()
