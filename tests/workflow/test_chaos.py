"""Kills, signals, two Snakemakes at once, one core: the DAG still ends with the same bytes."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress

import psutil
import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
SEED = 2026
MOST = 12  # kills of steps and scripts
FEWEST = 10  # on a fast machine many processes end before their moment
PER_JOB = 2
# What happens to Snakemake itself after so many kills.
CRASHES = {2: "paused", 4: "killed with its steps", 6: "interrupted", 9: "killed alone"}
LONGEST = 3.0  # seconds from the start of a process to its kill: steps take 3 to 15
FIGURE = "default/figures/smoke/avg_at_k.png"
TARGETS = ("results/smoke/default/claims.json", f"results/smoke/{FIGURE}")  # every step, one figure
LOCKED = "cannot be locked"  # how Snakemake refuses a folder that another one works in


def start(project, name, *arguments, clock=None):
    """Start Snakemake in a session of its own, on a moved clock if `clock` is given."""
    moved = ["faketime", "-f", f"@{clock}"] if clock else []
    log = (project.folder / f"{name}.log").open("a")
    command = [*moved, *map(str, project.command(*arguments, *TARGETS))]
    environment = {**project.environment, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    return psutil.Popen(
        command,
        **{"env": environment, "cwd": project.folder, "stdout": log, "stderr": subprocess.STDOUT},
        start_new_session=True,
        preexec_fn=hear_ctrl_c,
    )


def hear_ctrl_c():
    """Undo what a shell does to its background jobs, and they to all that they start."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def log_of(project, name):
    return (project.folder / f"{name}.log").read_text()


def pause(process):
    """Let a process and all that it started stand still for two seconds."""
    tree = [process, *process.children(recursive=True)]
    signal_all(tree, signal.SIGSTOP)
    time.sleep(2)
    assert process.status() == psutil.STATUS_STOPPED
    signal_all(tree, signal.SIGCONT)


def signal_all(processes, what):
    """Send a signal to those of the processes that are still there."""
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(what)


def jobs_of(process):
    """Return the running steps and scripts below a process, by what they make."""
    jobs = {}
    for child in process.children(recursive=True):
        try:
            command = child.cmdline()
        except psutil.Error:
            continue
        if not command or "python" not in command[0]:
            continue
        words = " ".join(command[1:])
        if "maspo.steps." in words or "/figures/" in words:
            jobs.setdefault(words, child)
    return jobs


def kill_tree(process):
    """Kill a process and all that it started, as a machine that goes down does."""
    tree = [process, *process.children(recursive=True)]
    signal_all(tree, signal.SIGKILL)
    psutil.wait_procs(tree, timeout=10)


class Chaos:
    """Runs Snakemake until it ends by itself, and kills meanwhile."""

    def __init__(self, project):
        self.project, self.draw = project, random.Random(SEED)
        self.killed = Counter()
        self.due = {}
        self.crashes = dict(CRASHES)
        self.survived = []

    def start(self, name="chaos"):
        """Start Snakemake on one core."""
        return start(self.project, name, "--retries", "9", "--cores", "1")

    def go_on(self):
        """Start Snakemake as a user does who goes on after a kill."""
        self.project.snakemake("--unlock")
        return self.start()

    def run(self):
        """Return the exit status of the last Snakemake."""
        snakemake = self.start_twice()
        while snakemake.poll() is None:
            self.strike(snakemake)
            if self.killed.total() >= min(self.crashes, default=MOST + 1):
                self.crash(snakemake)
                if snakemake.poll() is not None:
                    snakemake = self.go_on()
            time.sleep(0.02)
        return snakemake.returncode

    def start_twice(self):
        """Start Snakemake twice at once: its lock refuses one; return the other."""
        both = {name: self.start(name) for name in ("chaos", "second")}
        while all(snakemake.poll() is None for snakemake in both.values()):
            time.sleep(0.05)
        (refused,) = (name for name in both if both[name].poll() is not None)
        assert both.pop(refused).returncode != 0
        assert LOCKED in log_of(self.project, refused), log_of(self.project, refused)[-2000:]
        (working,) = both.values()
        return working

    def strike(self, snakemake):
        """Kill each process that is due; draw a moment for each that is new."""
        now = time.monotonic()
        for words, process in jobs_of(snakemake).items():
            if self.killed.total() >= MOST or self.killed[words] >= PER_JOB:
                continue
            due = self.due.setdefault(process.pid, now + self.draw.uniform(0, LONGEST))
            if now >= due:
                try:
                    process.kill()
                except psutil.NoSuchProcess:
                    continue
                self.killed[words] += 1

    def crash(self, snakemake):
        """Stop Snakemake for a while, or end it, with what it started or without."""
        kind = self.crashes.pop(min(self.crashes))
        while snakemake.poll() is None and not jobs_of(snakemake):
            time.sleep(0.02)
        time.sleep(self.draw.uniform(0, LONGEST))
        orphans = jobs_of(snakemake)
        if kind == "paused":  # as on a machine that sleeps
            pause(snakemake)
        elif kind == "killed with its steps":
            kill_tree(snakemake)
        elif kind == "interrupted":  # Ctrl-C goes to all processes of the terminal
            os.killpg(snakemake.pid, signal.SIGINT)
            assert snakemake.wait(timeout=120) != 0
        else:
            snakemake.kill()
            snakemake.wait()
            psutil.wait_procs(orphans.values(), timeout=120)  # they go on to their end
        self.survived.append(kind)


def content(results):
    """Return the bytes of every result that is the same in every run, by its path."""
    patterns = ["*.parquet", "*/metrics.jsonl", "*.csv", "*.safetensors", "claims.json", "*.png"]
    files = [path for pattern in patterns for path in results.rglob(pattern)]
    timed = {"cost.csv"}  # tells seconds
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in files
        if path.name not in timed
    }


def same_bytes(finished, other):
    """Compare what was made with the results of the undisturbed DAG, which has more figures."""
    undisturbed, made = content(finished.results), content(other.results)
    figures = {name for name in undisturbed if name.startswith("default/figures")}
    assert set(made) == undisturbed.keys() - figures | {FIGURE}
    assert [name for name in made if made[name] != undisturbed[name]] == []
    left = [path.name for path in other.results.rglob("*")]
    assert [name for name in left if name.endswith(".tmp")] == []
    assert [name for name in left if name.startswith("checkpoint.pt")] == []
    assert "Nothing to be done" in other.snakemake("--dry-run", *TARGETS)


def test_a_dag_that_is_disturbed_again_and_again_ends_with_the_same_bytes(finished, new_project):
    chaos = Chaos(new_project)
    status = chaos.run()
    assert status == 0, log_of(new_project, "chaos")[-5000:]
    assert chaos.killed.total() >= FEWEST
    assert chaos.survived == list(CRASHES.values())
    print(f"killed: {chaos.killed.total()} processes; {chaos.survived}", file=sys.stderr)
    same_bytes(finished, new_project)
