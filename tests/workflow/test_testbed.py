"""The test bed's command: a file from outside against a method, to a page with a verdict."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from maspo.testbed.__main__ import main, overrides_of_runs
from tests.unit.testbed.test_testbed_objective import GRPO

# A group, because these are begun before single tests: the longest test is not the last.
pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.xdist_group("testbed")]


OPTIONS = ["--scale", "smoke", "--folder", "out", "--seeds", "3"]


def command(folder, *arguments):
    words = [sys.executable, "-m", "maspo.testbed", *map(str, arguments), *OPTIONS]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True)


def test_a_file_is_compared_and_a_second_time_costs_nothing(tmp_path):
    file = tmp_path / "own_grpo.py"
    file.write_text(GRPO)
    done = command(tmp_path, file)
    assert done.returncode == 0, done.stderr[-3000:]
    read = json.loads((tmp_path / "out/own_grpo-grpo.json").read_text())
    # GRPO's own formula, dual clip included, trains the same policies, bit by bit.
    assert read["looks"] == [{"pairs": 3, "mean": 0.0, "low": 0.0, "high": 0.0}]
    assert read["verdict"] == "negligible"
    assert all(check["passed"] for check in read["checks"])
    page = (tmp_path / "out/own_grpo-grpo.html").read_text()
    assert page.count("data:image/png;base64,") == 5
    assert "own_grpo and grpo differ by less than 1 point." in page

    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("records.parquet")}
    assert len(before) >= 6
    assert command(tmp_path, file).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("records.parquet")} == before


BAD = {
    "broken.py": (GRPO.replace("(batch):", "(batch)"), "broken.py, line 5: cannot be run"),
    "flat.py": (GRPO.replace("batch.log_prob -", "batch.log_prob.detach() -"), "no gradient"),
    "grpo.py": (GRPO, "grpo is a method of this package: rename the file"),
    "My-Own.py": (GRPO, "the file's name becomes the method's"),
    "missing.py": (None, "there is no such file"),
    "README.md": ("", "README.md is no Python file"),
    "no_method": (None, "variant 'no_method' is unknown"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_tried_ends_before_any_run(tmp_path, monkeypatch, name):
    text, message = BAD[name]
    monkeypatch.chdir(tmp_path)
    if text is not None:
        Path(name).write_text(text)
    with pytest.raises(SystemExit, match=re.escape(message)):
        main([name, *OPTIONS])
    assert not list(tmp_path.rglob("*.parquet"))


def test_a_scale_of_published_policies_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="--scale gpu: the test bed trains base policies"):
        main(["clip_higher", "--scale", "gpu", "--folder", "out"])
    assert not list(tmp_path.iterdir())


def test_the_fast_sampler_is_taken_where_none_is_named():
    assert overrides_of_runs("mini", ["train.lr=1e-4"]) == ("sampler=fused", "train.lr=1e-4")
    for own in ("sampler=transformers", "sampler.batch_size=8"):
        assert overrides_of_runs("mini", [own]) == (own,)
