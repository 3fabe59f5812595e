"""Sandboxes are killed, replaced and never confused, wherever the call comes from."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import psutil
import pytest
from load_mix import mix

from maspo.verifier import SandboxError, Verdict, Verifier, pool, worker

ROOT = Path(__file__).resolve().parents[3]
GOOD = (r"\boxed{1+x}", "x+1")


def boxed(text: str) -> str:
    return f"\\boxed{{{text}}}"


@pytest.mark.parametrize(
    ("fault", "verdict"),
    [
        ("hang", Verdict.TIMEOUT),
        ("hold_lock", Verdict.TIMEOUT),
        ("crash", Verdict.ERROR),
        ("exit", Verdict.ERROR),
    ],
)
def test_a_fault_costs_only_its_own_request(faulty, fault, verdict):
    requests = [GOOD, (boxed(f"fault:{fault}"), "1"), GOOD, (boxed("x+2"), "x+1")]
    verdicts = faulty.grade_many(*zip(*requests, strict=True))
    assert verdicts == [Verdict.CORRECT, verdict, Verdict.CORRECT, Verdict.WRONG]


def test_memory_is_limited():
    with Verifier(workers=1, cpu_seconds=20, memory_mb=200, faults=True) as verifier:
        completions = [boxed("fault:memory"), GOOD[0]]
        verdicts = verifier.grade_many(completions, ["1", GOOD[1]])
        assert verdicts == [Verdict.ERROR, Verdict.CORRECT]


def test_a_request_that_sleeps_meets_the_wall_clock(monkeypatch):
    monkeypatch.setattr(pool, "wall_seconds", lambda cpu_seconds: 1.0)
    with Verifier(workers=1, cpu_seconds=20, faults=True) as verifier:
        verdicts = verifier.grade_many([boxed("fault:sleep"), GOOD[0]], ["1", GOOD[1]])
        assert verdicts == [Verdict.TIMEOUT, Verdict.CORRECT]


@pytest.mark.slow
def test_waiting_for_cpu_time_is_no_timeout(monkeypatch):
    """An answer that needs longer than the wall-clock limit while it works is still given."""
    monkeypatch.setattr(pool, "wall_seconds", lambda cpu_seconds: 0.5)
    with Verifier(workers=1, cpu_seconds=20, faults=True) as verifier:
        verdicts = verifier.grade_many([boxed("fault:work 1+x")], ["x+1"])
        assert verdicts == [Verdict.CORRECT]


def test_a_lower_inherited_memory_limit_is_kept():
    script = f"""
        import resource
        low = 1500 * 2**20  # below the sandbox's own limit
        resource.setrlimit(resource.RLIMIT_AS, (low, low))
        from maspo.verifier import grade
        print(grade({GOOD[0]!r}, {GOOD[1]!r}))
    """
    assert _python(script).split() == ["correct"]


@pytest.mark.parametrize("name", ["RLIMIT_AS", "RLIMIT_CORE"])
def test_a_limit_the_platform_refuses_is_skipped(monkeypatch, name):
    def refuse(*_):
        raise ValueError("current limit exceeds maximum limit")

    before = resource.getrlimit(getattr(resource, name))
    monkeypatch.setattr(resource, "setrlimit", refuse)
    worker._limit(name, 0)
    monkeypatch.delattr(resource, name)
    worker._limit(name, 0)
    monkeypatch.undo()
    assert resource.getrlimit(getattr(resource, name)) == before


def test_children_that_cannot_answer_are_no_verdict():
    with (
        Verifier(workers=1, memory_mb=1) as verifier,
        pytest.raises(SandboxError, match="a child says died"),
    ):
        verifier.grade_many(*zip(GOOD, strict=True))


def test_without_the_flag_fault_requests_are_text(verifier):
    faults = ["fault:hang", "fault:crash", "fault:exit", "fault:memory", "fault:sleep"]
    verdicts = verifier.grade_many(list(map(boxed, faults)), ["1"] * len(faults))
    assert verdicts == [Verdict.WRONG] * len(faults)


def test_a_killed_keeper_is_replaced(faulty):
    assert faulty.grade_many(*zip(GOOD, strict=True)) == [Verdict.CORRECT]
    for pid in faulty.pids:
        os.kill(pid, signal.SIGKILL)
    assert faulty.grade_many([GOOD[0]] * 3, [GOOD[1]] * 3) == [Verdict.CORRECT] * 3


def test_a_killed_child_is_replaced(faulty):
    faulty.grade_many(*zip(GOOD, strict=True))
    children = [child for pid in faulty.pids for child in psutil.Process(pid).children()]
    assert children
    for child in children:
        child.kill()
    assert faulty.grade_many(*zip(GOOD, strict=True)) == [Verdict.CORRECT]


def test_threads_share_a_verifier(faulty):
    results = {}

    def work(seed):
        items = mix(60, seed, hangs=0.02, crashes=0.02)
        completions, golds, expected = zip(*items, strict=True)
        results[seed] = faulty.grade_many(completions, golds) == list(expected)

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == dict.fromkeys(range(4), True)


def test_a_closed_verifier_starts_again():
    verifier = Verifier(workers=1)
    assert verifier.grade_many(*zip(GOOD, strict=True)) == [Verdict.CORRECT]
    pids = verifier.pids
    verifier.close()
    verifier.close()
    assert verifier.pids == []
    assert not any(_alive(pid) for pid in pids)
    assert verifier.grade_many(*zip(GOOD, strict=True)) == [Verdict.CORRECT]
    verifier.close()


@pytest.mark.parametrize("late", [0.0, 0.3])
def test_closing_ends_what_another_thread_grades(late, monkeypatch):
    def read(descriptor, size):
        time.sleep(late)  # the pool closes between the worker's end and this reading of it
        return os_read(descriptor, size)

    os_read = os.read
    monkeypatch.setattr(os, "read", read)
    verifier = Verifier(workers=1, cpu_seconds=600, faults=True)
    verifier.grade_many(*zip(GOOD, strict=True))
    raised = []

    def work():
        try:
            verifier.grade_many([boxed("fault:hang"), GOOD[0]], ["1", GOOD[1]])
        except (SandboxError, CancelledError) as error:
            raised.append(type(error))

    thread = threading.Thread(target=work)
    thread.start()
    time.sleep(0.5)
    verifier.close()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert raised == [SandboxError]
    assert verifier.pids == []


def test_an_installation_that_cannot_start_is_no_verdict(monkeypatch):
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with Verifier(workers=1) as verifier, pytest.raises(SandboxError, match="did not start"):
        verifier.grade_many(*zip(GOOD, strict=True))


@pytest.mark.slow
def test_a_script_without_main_guard_and_a_forked_copy():
    script = f"""
        import os
        from maspo.verifier import Verifier, grade
        verifier = Verifier(workers=1)
        print(grade({GOOD[0]!r}, {GOOD[1]!r}), flush=True)
        print(*verifier.grade_many([{GOOD[0]!r}], [{GOOD[1]!r}]), flush=True)
        child = os.fork()
        print(*verifier.grade_many([{boxed("y+1")!r}], ["1+y"]), flush=True)
        if child:
            os.waitpid(child, 0)
            print(*verifier.grade_many([{boxed("z+1")!r}], ["1+z"]), flush=True)
    """
    assert _python(script).split() == ["correct"] * 5


@pytest.mark.parametrize("busy", [False, True])
@pytest.mark.slow
def test_sandboxes_end_with_a_killed_caller(busy):
    script = f"""
        import sys, threading, time
        from maspo.verifier import Verifier
        verifier = Verifier(workers=1, cpu_seconds=600, faults=True)
        verifier.grade_many([{GOOD[0]!r}], [{GOOD[1]!r}])
        print(*verifier.pids, flush=True)
        if {busy}:
            verifier.grade_many([{boxed("fault:hang")!r}], ["1"])
        time.sleep(600)
    """
    caller = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(script)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    keeper = psutil.Process(int(caller.stdout.readline()))
    family = [keeper, *keeper.children(recursive=True)]
    time.sleep(0.3)
    caller.kill()
    caller.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    caller.stdout.close()
    assert len(family) == 2
    assert alive == []


def test_after_cuda_is_initialised(verifier):
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    with Verifier(workers=2) as fresh:
        total = torch.ones(8, device="cuda").sum().item()
        assert total == 8
        assert fresh.grade_many(*zip(GOOD, strict=True)) == [Verdict.CORRECT]
        assert torch.ones(8, device="cuda").sum().item() == 8


def _python(script: str) -> str:
    command = [sys.executable, "-"]
    return subprocess.run(
        command, input=textwrap.dedent(script), capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout


def _alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
