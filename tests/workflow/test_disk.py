"""A disk that is full, or that became read-only: the file is named and nothing is half-written."""

import os
import shutil
import subprocess

import pytest

from maspo.files import sha256

pytestmark = [pytest.mark.workflow, pytest.mark.slow]


def mount(*arguments):
    return subprocess.run(["mount", *map(str, arguments)], capture_output=True, text=True)


@pytest.fixture
def disk(tmp_path):
    """Return a small file system of its own and how to change its options."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root may mount a small file system")
    done = mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", folder)
    if done.returncode != 0:
        pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")

    def options(text):
        done = mount("-o", f"remount,{text}", folder)
        assert done.returncode == 0, done.stderr

    yield folder, options
    subprocess.run(["umount", str(folder)], check=True)


def run(project, *step):
    process = project.step(*step, stderr=subprocess.PIPE, text=True)
    _, log = process.communicate()
    return process.returncode, log


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_full_disk_stops_a_run_which_later_goes_on(finished, disk):
    folder, options = disk
    results = folder / "results"
    for part in ("data", "base"):
        shutil.copytree(finished.results / part, results / part)
    before = contents(results)
    used = sum(len(content) for content in before.values())
    options(f"size={used // 1000 + 700}k")  # weights and optimizer state need three times 0.6 MB
    step = ("train", f"results={results}", "variant=maspo", "seed=1")

    status, log = run(finished, *step)
    assert status == 1
    assert "could not write" in log.splitlines()[-1]
    assert "checkpoint.pt" in log.splitlines()[-1]
    assert "Traceback" not in log
    after = contents(results)
    assert {path: after[path] for path in before} == before
    assert [path for path in after if path.name.endswith(".tmp")] == []
    assert not (results / "runs").exists()

    options("size=64m")
    status, log = run(finished, *step)
    assert status == 0, log
    undisturbed = finished.results / "runs" / "maspo" / "seed_1"
    again = results / "runs" / "maspo" / "seed_1"
    assert (again / "metrics.jsonl").read_bytes() == (undisturbed / "metrics.jsonl").read_bytes()
    assert sha256(again / "policy") == sha256(undisturbed / "policy")


@pytest.mark.parametrize(
    "step",
    [
        ("data",),
        ("base", "seed=1"),
        ("train", "variant=maspo", "seed=1"),
        ("table", "tables_of=smoke"),
    ],
    ids=lambda step: step[0],
)
def test_a_read_only_results_folder_is_named_and_stays_as_it_was(finished, disk, step):
    folder, options = disk
    results = folder / "results"
    shutil.copytree(finished.results, results)
    before = contents(results)
    options("ro")
    status, log = run(finished, *step, f"results={results}")
    assert status == 1
    assert log.splitlines()[-1].startswith("error: ")
    assert "Read-only file system" in log.splitlines()[-1]
    assert str(results) in log.splitlines()[-1]
    assert "Traceback" not in log
    assert contents(results) == before
    options("rw")
    status, log = run(finished, *step, f"results={results}")
    assert status == 0, log
