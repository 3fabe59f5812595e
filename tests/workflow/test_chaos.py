"""Kills at random moments: the DAG still ends with the bytes of the undisturbed run."""

import random
import subprocess
import sys
import time
from collections import Counter

import psutil
import pytest

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
SEED = 2026
MOST = 20  # kills of steps and scripts; those of Snakemake itself come on top
FEWEST = 10  # on a fast machine many processes end before their moment
PER_JOB = 3
CRASHES = {3: "tree", 6: "alone", 9: "tree"}  # after so many kills Snakemake is killed as well
LONGEST = 3.0  # seconds from the start of a process to its kill: steps take 3 to 15


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
        if "maspo.steps." in words or "/figures/" in words or "page.py" in words:
            jobs.setdefault(words, child)
    return jobs


def kill_tree(process):
    """Kill a process and all that it started, as a machine that goes down does."""
    tree = [process, *process.children(recursive=True)]
    for victim in tree:
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(tree, timeout=10)


class Chaos:
    """Runs Snakemake until it ends by itself, and kills meanwhile."""

    def __init__(self, project):
        self.project, self.draw = project, random.Random(SEED)
        self.killed = Counter()
        self.due = {}
        self.crashes = dict(CRASHES)
        self.survived = []

    def start(self):
        """Start Snakemake as a user does who goes on after a kill."""
        self.project.snakemake("--unlock")
        log = (self.project.folder / "chaos.log").open("a")
        command = self.project.command("--retries", "9")
        return psutil.Popen(
            command, env=self.project.environment, stdout=log, stderr=subprocess.STDOUT
        )

    def run(self):
        """Return the exit status of the last Snakemake."""
        snakemake = self.start()
        while snakemake.poll() is None:
            self.strike(snakemake)
            if self.killed.total() >= min(self.crashes, default=MOST + 1):
                self.crash(snakemake)
                snakemake = self.start()
            time.sleep(0.02)
        return snakemake.returncode

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
        """Kill Snakemake, with what it started or without."""
        kind = self.crashes.pop(min(self.crashes))
        while snakemake.poll() is None and not jobs_of(snakemake):
            time.sleep(0.02)
        time.sleep(self.draw.uniform(0, LONGEST))
        orphans = jobs_of(snakemake)
        if kind == "tree":
            kill_tree(snakemake)
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


def test_a_dag_that_is_killed_again_and_again_ends_with_the_same_bytes(project, new_project):
    chaos = Chaos(new_project)
    status = chaos.run()
    log = (new_project.folder / "chaos.log").read_text()
    assert status == 0, log[-5000:]
    assert chaos.killed.total() >= FEWEST
    assert len(chaos.survived) == len(CRASHES)
    print(f"killed: {chaos.killed.total()} processes, Snakemake {chaos.survived}", file=sys.stderr)

    undisturbed, survived = content(project.results), content(new_project.results)
    assert set(survived) == set(undisturbed)
    assert [name for name in survived if survived[name] != undisturbed[name]] == []
    everything = [path.name for path in new_project.results.rglob("*")]
    assert [name for name in everything if name.endswith(".tmp")] == []
    assert [name for name in everything if name.startswith("checkpoint.pt")] == []
    assert "Nothing to be done" in new_project.snakemake("--dry-run")
