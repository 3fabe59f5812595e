"""What a step tells at its end: the figures that are reported, without what reports need."""

import subprocess
import sys

import pyarrow as pa
import pytest

from maspo.evaluation.scores import score
from maspo.steps.headlines import score_headlines

VERDICTS = {"easy": ["correct", "wrong", "correct", "timeout"], "hard": ["wrong", "no_answer"] * 2}


def test_scores_are_those_of_the_tables():
    rows = [
        {"benchmark": name, "problem": f"{name}{i // 2}", "verdict": verdict, "tokens": 3}
        for name, verdicts in VERDICTS.items()
        for i, verdict in enumerate(verdicts)
    ]
    records = pa.Table.from_pylist(rows)
    easy, hard, mean = score_headlines(records)
    assert easy == "easy: Avg@2 50.0%, Pass@2 100.0% of 2 problems; 1 timeouts and errors"
    assert hard == "hard: Avg@2 0.0%, Pass@2 0.0% of 2 problems"
    assert mean == "mean of benchmarks: Avg 25.0%, Pass 50.0%"
    table = score(records.to_pandas())
    assert table["avg_at_k"].tolist() == [0.5, 0.0]
    assert table["pass_at_k"].tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    ("step", "package"), [("train", "pandas"), ("evaluate", "pandas"), ("audit", "transformers")]
)
@pytest.mark.slow
def test_steps_that_run_often_do_not_load_what_takes_long(step, package):
    code = f"import sys, maspo.steps.{step}; sys.exit('{package}' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
