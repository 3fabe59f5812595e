"""Another clock, and kills of the audit: the same bytes."""

import json
import os
import random
import shutil
import subprocess
import sys
import time

import psutil
import pytest
from test_chaos import kill_tree, log_of, same_bytes, start

pytestmark = [pytest.mark.workflow, pytest.mark.slow]
SEED = 2026
CLOCK = "2031-05-05 12:00:00"  # where the moved clock starts
AUDITS_KILLED = 3


def test_a_moved_clock_changes_no_byte(finished, new_project):
    if not shutil.which("faketime"):
        pytest.skip("needs faketime: apt-get install faketime")
    snakemake = start(new_project, "moved", clock=CLOCK)
    assert snakemake.wait(timeout=1200) == 0, log_of(new_project, "moved")[-3000:]
    manifest = new_project.results / "runs/maspo/seed_1/manifest.json"
    assert json.loads(manifest.read_text())["time"]["started"] > CLOCK[:10]
    same_bytes(finished, new_project)


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


def test_a_killed_audit_leaves_a_whole_report(finished, tmp_path):
    """The old one or the new one; audited again, the same."""
    results = tmp_path / "results"
    drawn = shutil.ignore_patterns("figures", "pages")  # what takes most of the time
    shutil.copytree(finished.results, results, ignore=drawn)
    begun = time.monotonic()
    assert audit(finished, results).wait() == 0
    seconds = time.monotonic() - begun
    whole = report(results)

    draw = random.Random(SEED)
    for kill in range(AUDITS_KILLED):
        if kill == AUDITS_KILLED // 2:  # the rest starts without a report
            shutil.rmtree(results / "audit")
        process = audit(finished, results)
        time.sleep(draw.uniform(0.3, 1.1) * seconds)
        if process.poll() is None:
            kill_tree(process)
        files = [results / "audit" / f"audit.{kind}" for kind in ("json", "md")]
        if all(path.is_file() for path in files):
            assert report(results) == whole
        else:
            assert not files[1].is_file()  # the last to be written
    assert audit(finished, results).wait() == 0
    assert report(results) == whole
    assert sorted(path.name for path in (results / "audit").iterdir()) == ["audit.json", "audit.md"]
