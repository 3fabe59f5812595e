"""Data, base, train and evaluate with a real tokenizer, chat template and language model."""

import json
import subprocess
import sys

import pandas as pd
import pytest

from benchmark_files import BENCHMARKS
from maspo.files import read_json, read_json_lines
from maspo.layout import Layout
from maspo.policy import load_policy
from maspo.tasks import read_problems

TRAINING = [
    {"problem": f"Tom has {a} apples and gets {b} more. How many has he?", "answer": a + b}
    for a in range(2, 6)
    for b in range(3, 7)
]
EXAMPLES = (
    "task.examples=[{problem: 'Kim has 4 pens and gets 5 more. How many has she?', "
    "answer: '\\boxed{9}'}, {problem: 'Joe had 9 cards and gave away 5. How many are left?', "
    "answer: '\\boxed{4}'}]"
)


@pytest.fixture(scope="module")
def layout(folder, tmp_path_factory):
    """Return the results of one run of two steps and its evaluation."""
    root = tmp_path_factory.mktemp("lm")
    files = {root / "own" / "set" / "train.jsonl": TRAINING}
    for i, name in enumerate(BENCHMARKS):
        question = f"Ann has {i + 2} coins and finds {i + 3} more. How many has she?"
        files[root / "tests" / f"{name}.jsonl"] = [{"problem": question, "answer": 2 * i + 5}]
    for path, rows in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    settings = [
        *("scale=gpu", f"results={root / 'results'}", "threads=1"),
        *(f"model.path={folder}", "model.device=cpu", "sampler=transformers"),
        *(f"task.local_dir={root}", "task.training.repo=own/set"),
        *("task.training.file=train.jsonl", "task.training.sha256=null"),
        *(f"task.benchmark_files={root / 'tests'}", "task.template='{problem}'", EXAMPLES),
        *("task.max_prompt_tokens=160", "task.max_completion_tokens=12"),
        *("train.steps=2", "train.prompts_per_batch=2", "train.group_size=4"),
        *("train.updates_per_batch=2", "train.precision=float32", "train.reward=random"),
        *("train.micro_batch_tokens=400", "train.checkpoint_every=1", "train.lr=1e-5"),
        "evaluate.samples=2",
    ]
    run = ["variant=maspo", "seed=1"]
    for step, more in {"data": [], "base": ["seed=0"], "train": run, "evaluate": run}.items():
        command = [sys.executable, "-m", f"maspo.steps.{step}", *settings, *more]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-3000:]
    return Layout(root / "results")


def test_examples_are_turns_of_the_rendered_prompt(layout, folder):
    problem = read_problems(layout.problems("train"))[0]
    _, tokenizer = load_policy(folder)
    text = tokenizer.apply_chat_template(
        list(problem.messages), add_generation_prompt=True, tokenize=False
    )
    assert text.count("<|im_start|>user") == 3
    assert "<|im_start|>assistant\n\\boxed{9}<|im_end|>" in text
    assert text.endswith("<|im_start|>assistant\n")


def test_the_run_learns_from_real_completions(layout):
    log = read_json_lines(layout.run("maspo", 1) / "metrics.jsonl")
    assert [row["step"] for row in log] == [1, 2]
    for row in log:
        assert row["error"] == 0
        assert 2 <= row["completion_length"] <= 12
        assert 0 < row["entropy"] < 6
        assert row["uniform_groups"] == 2 or row["gradient_norm"] > 0
    assert any(row["gradient_norm"] > 0 for row in log)
    before, _ = load_policy(layout.policy("base", 0))
    after, _ = load_policy(layout.policy("maspo", 1))
    moved = [
        (a - b).abs().max().item()
        for a, b in zip(before.parameters(), after.parameters(), strict=True)
    ]
    assert 0 < max(moved) < 1e-4  # four updates at 1e-5


def test_the_evaluation_holds_readable_text(layout):
    records = pd.read_parquet(layout.evaluation("maspo", 1) / "records.parquet")
    assert len(records) == 2 * len(BENCHMARKS)
    assert not records.text.str.contains("<|im_", regex=False).any()
    assert records.text.str.contains(r"\boxed{", regex=False).mean() > 0.5
    assert records.verdict.isin(["correct", "wrong", "no_answer"]).all()


def test_the_data_report_says_where_the_problems_came_from(layout):
    report = read_json(layout.data / "report.json")
    assert report["training_file"]["file"] == "train.jsonl"
    assert report["training"]["kept"] == len(TRAINING)
