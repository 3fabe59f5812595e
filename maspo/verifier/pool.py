"""Sandboxes for symbolic comparisons: started when first needed, replaced when they die."""

import contextlib
import json
import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from maspo.verifier.verdict import Verdict

START_SECONDS = 600.0
"""Wall-clock time in which a sandbox must have imported sympy, on the busiest machine."""

HUNG_SECONDS = 3600.0
"""Silence after which a keeper is taken for hung: it watches its child's time itself."""

_PACKAGE_ROOT = str(Path(__file__).resolve().parents[2])


def wall_seconds(cpu_seconds: float) -> float:
    """Seconds for which a comparison may neither end nor use CPU time."""
    return 10 * cpu_seconds + 10


class SandboxError(RuntimeError):
    """A sandbox cannot be started: the installation is at fault, not an answer."""


class Sandbox:
    """One worker process tree (see `worker`) behind two pipes. Not thread-safe.

    It is started with `subprocess`, so nothing of this process is inherited: threads, locks, a
    CUDA context and a script without a main guard are all harmless.
    """

    def __init__(self, cpu_seconds: float, memory_mb: int, faults: bool = False):
        self._wall_seconds = wall_seconds(cpu_seconds)
        self._command = [sys.executable, "-P", "-m", "maspo.verifier.worker"]
        self._command += [f"--cpu-seconds={cpu_seconds}", f"--memory-mb={memory_mb}"]
        self._command += [f"--wall-seconds={self._wall_seconds}"] + ["--faults"] * faults
        self._process: subprocess.Popen[bytes] | None = None
        self._retired = False
        self._exchanging = threading.Lock()

    @property
    def pid(self) -> int | None:
        """Process id of the keeper; None before the first question."""
        return self._process.pid if self._process else None

    def ask(self, answer: str, gold: str) -> Verdict:
        """The sandbox's verdict on two cleaned answers.

        A sandbox that is gone is replaced and asked once more; a second loss gives `error`.

        Raises:
            SandboxError: the worker does not start, or the sandbox was retired.
        """
        request = json.dumps({"answer": answer, "gold": gold}).encode() + b"\n"
        for _ in range(2):
            if self._process is None:
                self._start()
            reply = self._exchange(request, HUNG_SECONDS)
            if reply:
                return Verdict(reply)
            self.close()
        return Verdict.ERROR

    def _exchange(self, request: bytes, seconds: float) -> str:
        """One line there, one line back; empty where the process is gone or silent."""
        with self._exchanging:
            process = self._process
            try:
                process.stdin.write(request)
                process.stdin.flush()
                descriptor = process.stdout.fileno()
            except (OSError, ValueError, AttributeError):  # gone, or closed by another thread
                return ""
            deadline = time.monotonic() + seconds
            line = b""
            while not line.endswith(b"\n"):
                poll = select.poll()
                poll.register(descriptor, select.POLLIN)
                if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                    return ""
                part = os.read(descriptor, 256)
                if not part:
                    return ""
                line += part
            return line.decode().strip()

    def _start(self) -> None:
        if self._retired:
            raise SandboxError("the verifier was closed while it was grading")
        path = os.pathsep.join(filter(None, [_PACKAGE_ROOT, os.environ.get("PYTHONPATH")]))
        with tempfile.TemporaryFile() as messages:
            self._process = subprocess.Popen(
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=messages,
                env={**os.environ, "PYTHONPATH": path},
                start_new_session=True,
            )
            if self._exchange(b"", START_SECONDS) == "ready":
                return
            self.close()
            messages.seek(0)
            reason = messages.read().decode(errors="replace")[-2000:]
        raise SandboxError(
            f"the verifier's worker did not start: {' '.join(self._command)}\n"
            f"{reason or f'it said nothing for {START_SECONDS:.0f} s or ended'}"
        )

    def retire(self) -> None:
        """Close for good: a question that another thread is asking ends in SandboxError."""
        self._retired = True
        self.close()

    def close(self) -> None:
        """Kill the whole process group; the next question starts another. Idempotent."""
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        with self._exchanging:  # by now the worker is dead, so a thread that reads from it ends
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    pipe.close()


class Pool:
    """A fixed number of sandboxes that share the questions of all calling threads."""

    def __init__(self, workers: int, cpu_seconds: float, memory_mb: int, faults: bool = False):
        self._settings = (workers, cpu_seconds, memory_mb, faults)
        self._reset()

    def _reset(self) -> None:
        workers, *limits = self._settings
        self._process = os.getpid()
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None
        self._sandboxes = [Sandbox(*limits) for _ in range(workers)]
        self._idle: queue.SimpleQueue[Sandbox] = queue.SimpleQueue()
        for sandbox in self._sandboxes:
            self._idle.put(sandbox)

    @property
    def pids(self) -> list[int]:
        """Process ids of the keepers that run now."""
        return [sandbox.pid for sandbox in self._sandboxes if sandbox.pid is not None]

    def ask(self, pairs: Iterable[tuple[str, str]]) -> list[Verdict]:
        """Verdicts on (answer, gold) pairs, in order.

        Raises:
            SandboxError: no worker starts.
        """
        if self._process != os.getpid():
            self._reset()  # a forked copy: the threads are gone, the sandboxes are the parent's
        with self._lock:
            if self._executor is None:
                self._executor = ThreadPoolExecutor(len(self._sandboxes), "verifier")
        return list(self._executor.map(self._ask_one, pairs))

    def _ask_one(self, pair: tuple[str, str]) -> Verdict:
        idle = self._idle
        sandbox = idle.get()
        try:
            return sandbox.ask(*pair)
        except BaseException:
            sandbox.close()
            raise
        finally:
            idle.put(sandbox)

    def close(self) -> None:
        """Drop what is queued and kill the sandboxes. The pool can be used again."""
        if self._process != os.getpid():
            return  # a forked copy: the sandboxes are the parent's
        executor, sandboxes = self._executor, self._sandboxes
        self._reset()
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)
        for sandbox in sandboxes:
            sandbox.retire()
