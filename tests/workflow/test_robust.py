"""Signals, other clocks, one core, two Snakemakes at once, kills of the audit: the same bytes."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest
from test_chaos import content, jobs_of, kill_tree

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
SEED = 2026
CLOCK = "2031-05-05 12:00:00"  # where the moved clock starts
TARGET = "results/smoke/default/claims.json"  # all steps but the tables of studies and figures
BEYOND = ("default/tables/smoke", "default/figures")  # of the whole DAG
LOCKED = "cannot be locked"  # how Snakemake refuses a folder that another one works in
AUDITS_KILLED = 6


def start(project, name, *arguments, clock=None):
    """Start Snakemake in a session of its own, on a moved clock if `clock` is given."""
    moved = ["faketime", "-f", f"@{clock}"] if clock else []
    log = (project.folder / f"{name}.log").open("w")
    command = [*moved, *map(str, project.command(*arguments, TARGET))]
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


def wait_for(snakemake, word):
    """Wait until a job whose command holds `word` runs; fail if Snakemake ends before."""
    while not any(word in words for words in jobs_of(snakemake)):
        assert snakemake.poll() is None
        time.sleep(0.05)


def test_signals_cores_and_two_snakemakes_change_no_byte(project, new_project):
    """One DAG for all: started twice at once, on one core, stopped, interrupted, gone on with."""
    first, second = (start(new_project, name, "--cores", "1") for name in ("first", "second"))
    try:
        # One is refused at once, by Snakemake's lock, and the other works on.
        while first.poll() is None and second.poll() is None:
            time.sleep(0.05)
        refused, working = (first, second) if first.poll() is not None else (second, first)
        name = "first" if refused is first else "second"
        assert refused.returncode != 0
        assert LOCKED in log_of(new_project, name), log_of(new_project, name)[-2000:]

        # A step stands still for a while, as on a machine that sleeps.
        wait_for(working, "maspo.steps.base")
        tree = [working, *working.children(recursive=True)]
        for process in tree:
            process.suspend()
        time.sleep(2)
        assert all(process.status() == psutil.STATUS_STOPPED for process in tree)
        for process in tree:
            process.resume()

        # Ctrl-C goes to all processes of the terminal.
        wait_for(working, "maspo.steps.train")
        time.sleep(2)
        os.killpg(working.pid, signal.SIGINT)
        assert working.wait(timeout=120) != 0
    finally:
        for snakemake in (first, second):
            if snakemake.poll() is None:
                kill_tree(snakemake)
    new_project.snakemake("--cores", "1", TARGET)
    same_bytes(project, new_project)


def test_a_moved_clock_changes_no_byte(project, new_project):
    if not shutil.which("faketime"):
        pytest.skip("needs faketime: apt-get install faketime")
    snakemake = start(new_project, "moved", clock=CLOCK)
    assert snakemake.wait(timeout=1200) == 0, log_of(new_project, "moved")[-3000:]
    manifest = new_project.results / "runs/maspo/seed_1/manifest.json"
    assert json.loads(manifest.read_text())["time"]["started"] > CLOCK[:10]
    same_bytes(project, new_project)
    assert "Nothing to be done" in new_project.snakemake("--dry-run", TARGET)


def same_bytes(project, other):
    """Compare what was made with the results of the undisturbed DAG, which has more tables."""
    undisturbed, made = content(project.results), content(other.results)
    expected = {name for name in undisturbed if not name.startswith(BEYOND)}
    assert set(made) == expected
    assert [name for name in made if made[name] != undisturbed[name]] == []
    left = [path.name for path in other.results.rglob("*")]
    assert [name for name in left if name.endswith(".tmp")] == []


def audit(project, results):
    """Start the audit of a folder."""
    command = [sys.executable, "-m", "maspo.steps.audit", results]
    environment = {**os.environ, "MASPO_CONFIGS": str(project.folder / "configs")}
    return psutil.Popen(command, env=environment, stdout=subprocess.DEVNULL)


def report(results):
    """Return both files of the report without the seconds, which no two audits share."""
    read = json.loads((results / "audit/audit.json").read_text())
    for check in read["checks"]:
        check["seconds"] = 0
    lines = (results / "audit/audit.md").read_text().splitlines()
    return read, [line.rpartition("|")[0].rpartition("|")[0] or line for line in lines]


def test_a_killed_audit_leaves_a_whole_report(project, tmp_path):
    """The old one or the new one; audited again, the same."""
    results = tmp_path / "results"
    drawn = shutil.ignore_patterns("figures", "pages")  # what takes most of the time
    shutil.copytree(project.results, results, ignore=drawn)
    begun = time.monotonic()
    assert audit(project, results).wait() == 0
    seconds = time.monotonic() - begun
    whole = report(results)

    draw = random.Random(SEED)
    for kill in range(AUDITS_KILLED):
        if kill == AUDITS_KILLED // 2:  # the rest starts without a report
            shutil.rmtree(results / "audit")
        process = audit(project, results)
        time.sleep(draw.uniform(0.3, 1.1) * seconds)
        if process.poll() is None:
            kill_tree(process)
        files = [results / "audit" / f"audit.{kind}" for kind in ("json", "md")]
        if all(path.is_file() for path in files):
            assert report(results) == whole
        else:
            assert not files[1].is_file()  # the last to be written
    assert audit(project, results).wait() == 0
    assert report(results) == whole
    assert sorted(path.name for path in (results / "audit").iterdir()) == ["audit.json", "audit.md"]
