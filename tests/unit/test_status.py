"""What a person is told of a results folder: done, running, stopped, left, and the time."""

import json
import os
import subprocess
import sys

import pytest

from maspo.config import load_experiment
from maspo.reporting.progress import Progress
from maspo.steps.status import left, status, words
from maspo.unfinished import Unfinished, in_work

USAGE = "s\th:m:s\tmax_rss\n{}\t0:00:00\t-\n"


@pytest.fixture
def results(tmp_path):
    return tmp_path / "results"


@pytest.fixture
def look(results):
    """Return a function that looks at the folder; 150 steps of base policies, 6 of runs."""
    experiment = load_experiment(["scale=smoke", f"results={results}"])
    return lambda: Progress.of(experiment)


def put(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def done(results, folder, seconds):
    put(results / folder / "manifest.json", json.dumps({"time": {"seconds": {"all": seconds}}}))


def states(progress):
    return {(job.step, job.name): state for job, state in progress.jobs}


def test_an_empty_folder_has_everything_left(look):
    progress = look()
    counts = {step: len(progress.those("left", step)) for step in progress.steps}
    expected = {"data": 1, "base": 1, "train": 2, "evaluate": 3, "table": 1, "claims": 1}
    assert counts == expected | {"figures": 12, "pages": 9}
    told = left(progress, "make it")
    assert told == "How long it takes is not known yet. Nothing is running: `make it` goes on."


def test_time_left_is_that_of_jobs_like_those_that_are_done(look, results):
    done(results, "data", 2)
    done(results, "base/seed_1", 10)
    done(results, "runs/grpo/seed_1", 30)  # with its start, by Snakemake's own measurement:
    put(results / "usage/train/grpo/seed_1.tsv", USAGE.format(40.0))
    rows = [json.dumps({"step": step, "seconds": 5.0}) + "\n" for step in (1, 2, 3)]
    put(results / "checkpoints/maspo/seed_1/timings.jsonl", "".join(rows))
    progress = look()
    assert progress.each("train") == 40.0
    assert progress.seconds_left == pytest.approx(40 * (1 - 3 / 6))
    assert progress.unknown == ["evaluate", "table", "claims", "figures", "pages"]
    assert states(progress)["train", "maspo/seed_1"] == "stopped"  # there, and nobody works on it


def test_the_first_run_tells_how_long_runs_take(look, results):
    put(results / "checkpoints/maspo/seed_1/timings.jsonl", '{"step": 1, "seconds": 5.0}\n{"st')
    progress = look()
    assert progress.each("train") == 30.0
    assert progress.seconds_left == pytest.approx(30 + 25)


def test_a_job_that_failed_is_shown_with_its_error_and_its_log(look, results, capsys):
    log = results / "logs/train/maspo/seed_1.log"
    put(log, "step 1\nerror: could not write policy: \x1b[2J No space left\n")
    done(results, "data", 2)
    assert states(look())["train", "maspo/seed_1"] == "stopped"
    status(load_experiment(["scale=smoke", f"results={results}"]))
    said = capsys.readouterr().out
    assert "stopped: train maspo/seed_1 (error: could not write policy" in said
    assert str(log) in said
    assert f'`snakemake --cores all --config scale=smoke overrides="results={results}"`' in said
    assert "\x1b" not in said


def test_a_job_that_just_began_is_running_and_a_silent_one_has_stopped(look, results):
    for log in ("logs/train/maspo/seed_1.log", "logs/table/default/smoke.log"):
        put(results / log)
    assert states(look())["train", "maspo/seed_1"] == states(look())["table", "smoke"] == "running"
    for log in ("logs/train/maspo/seed_1.log", "logs/table/default/smoke.log"):
        os.utime(results / log, (1, 1))
    assert states(look())["train", "maspo/seed_1"] == states(look())["table", "smoke"] == "stopped"


HOLD = """
import sys
from pathlib import Path
from maspo.unfinished import Unfinished
Unfinished(Path(sys.argv[1]), "x").prepare()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_run_in_work_is_seen_and_not_disturbed(look, results):
    folder = results / "checkpoints/maspo/seed_1"
    assert not in_work(folder)
    command = [sys.executable, "-c", HOLD, str(folder)]
    process = subprocess.Popen(command, stdin=-1, stdout=-1, text=True)
    assert process.stdout.readline() == "held\n"
    assert in_work(folder)
    assert states(look())["train", "maspo/seed_1"] == "running"
    process.communicate("")
    assert not in_work(folder)
    Unfinished(folder, "x").prepare()  # nobody holds what was only asked for


def test_words():
    assert [words(seconds) for seconds in (90, 150, 9000)] == [
        "90 seconds",
        "2.5 minutes",
        "2.5 hours",
    ]
