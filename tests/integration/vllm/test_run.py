"""A whole RL run and an evaluation of the mini policy, sampled by vLLM."""

import os
import subprocess
import sys

import pandas as pd
import pytest

from maspo.files import read_json_lines

OVERRIDES = ["scale=smoke", "sampler=vllm", "train.steps=4"]


@pytest.fixture(scope="module")
def step(tmp_path_factory):
    """Return a function that runs a step of the smoke scale, as its command line does."""
    results = tmp_path_factory.mktemp("vllm") / "smoke"

    def run(name, *overrides, sampler="vllm"):
        command = [sys.executable, "-m", f"maspo.steps.{name}", *OVERRIDES]
        command += [f"sampler={sampler}", f"results={results}", *overrides]
        done = subprocess.run(command, capture_output=True, text=True, env=os.environ)
        assert done.returncode == 0, done.stderr[-3000:]
        return results

    run("data")
    run("base")
    return run


def test_train_and_evaluate(step):
    results = step("train", "variant=maspo", "seed=1", "train.importance_cap=2")
    log = read_json_lines(results / "runs" / "maspo" / "seed_1" / "metrics.jsonl")
    assert len(log) == 4
    for row in log:
        assert row["sampler_gap_max"] < 1e-3
        assert 0 <= row["sampler_gap_k3"] < 1e-6
        assert row["sampler_gap_mean"] <= row["sampler_gap_max"]
    step("evaluate", "variant=maspo", "seed=1")
    records = pd.read_parquet(results / "evaluation" / "maspo" / "seed_1" / "records.parquet")
    assert len(records) > 0
    assert records["verdict"].eq("correct").any()


def test_the_samplers_log_probs_may_be_the_old_policys(step):
    results = step("train", "variant=grpo", "seed=1", "train.old_policy=sampler")
    log = read_json_lines(results / "runs" / "grpo" / "seed_1" / "metrics.jsonl")
    assert all(row["ratio_max"] < 10 for row in log)
    assert log[0]["sampler_gap_max"] > 0
