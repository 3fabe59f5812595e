"""Whole RL runs and an evaluation of the mini policy with heads of 32, sampled by vLLM."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from maspo.config import load_experiment
from maspo.files import read_json, read_json_lines
from maspo.layout import Layout

OVERRIDES = ["scale=smoke", "model=mini_heads_32", "sampler=vllm", "train.snapshots=[2]"]
ENVIRONMENT = {**os.environ, "VLLM_LOGGING_LEVEL": "INFO"}
ENGINE_STARTS = "Initializing a V1 LLM engine"


@pytest.fixture(scope="module")
def layout(tmp_path_factory):
    """Return the folder of a smoke study with its problems and base policy."""
    layout = Layout(tmp_path_factory.mktemp("vllm") / "smoke")
    run(layout, "data")
    run(layout, "base", "seed=1")
    return layout


def command(layout, step, *overrides):
    settings = [*OVERRIDES, f"results={layout.root}", *overrides]
    return [sys.executable, "-m", f"maspo.steps.{step}", *settings]


def run(layout, step, *overrides):
    """Run a step as its command line does; return what it printed."""
    done = subprocess.run(
        command(layout, step, *overrides), capture_output=True, text=True, env=ENVIRONMENT
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def test_a_run_and_the_evaluation_of_its_policy(layout):
    run(layout, "train", "variant=maspo", "seed=1", "train.importance_cap=2")
    folder = layout.run("maspo", 1)
    log = read_json_lines(folder / "metrics.jsonl")
    assert [row["step"] for row in log] == [1, 2, 3, 4, 5, 6]
    for row in log:  # every step's weights reached the engine
        assert 0 < row["sampler_gap_mean"] <= row["sampler_gap_max"] < 1e-4
        assert 0 <= row["sampler_gap_k3"] < 1e-8
        assert row["ratio_max"] > 1
        assert row["error"] == 0
    assert read_json(folder / "manifest.json")["settings"]["sampler"]["kind"] == "vllm"

    printed = run(layout, "evaluate", "variant=maspo", "seed=1")
    records = pd.read_parquet(layout.evaluation("maspo", 1) / "records.parquet")
    experiment = load_experiment(OVERRIDES)
    # One for the run's policy, and one for each that it kept on its way.
    assert printed.count(ENGINE_STARTS) == 1 + len(experiment.train.snapshots)
    each = experiment.task.benchmark_problems * experiment.evaluate.samples
    counts = records["benchmark"].value_counts()
    assert counts.to_dict() == dict.fromkeys(experiment.task.benchmarks, each)
    # Six steps do not solve the task, but nearly every completion holds an answer.
    assert records["verdict"].isin(["correct", "wrong"]).mean() > 0.8


def test_the_samplers_log_probs_may_be_the_old_policys(layout):
    """The first update of a batch then has ratios near 1, where the trainer's own are 1."""
    one_update = ("variant=grpo", "seed=1", "train.steps=2", "train.updates_per_batch=1")
    one_update += ("train.snapshots=[]",)
    for old_policy in ("sampler", "trainer"):
        run(layout, "train", *one_update, f"train.old_policy={old_policy}")
        for row in read_json_lines(layout.run("grpo", 1) / "metrics.jsonl"):
            distance = max(row["ratio_max"] - 1, 1 - row["ratio_min"])
            if old_policy == "sampler":
                assert 0 < distance < 1e-4
                assert distance == pytest.approx(row["sampler_gap_max"], abs=1e-6)
            else:
                assert distance == 0


def test_an_interrupted_run_ends_and_leaves_no_process(layout):
    log = layout.checkpoints("dac", 1) / "metrics.jsonl"
    process = subprocess.Popen(
        command(layout, "train", "variant=dac", "seed=1", "train.steps=5000"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A shell's background jobs, as these tests may be, are started deaf to it.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        deadline = time.monotonic() + 300
        while not log.exists() or not log.read_text():
            assert process.poll() is None, process.stderr.read()[-3000:]
            assert time.monotonic() < deadline
            time.sleep(0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode not in (0, -signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)
