"""Every script writes its two files, the same bytes each time, and names a file that it lacks."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from figures_data import DRAWN

FIGURES = Path(__file__).parents[3] / "figures"
SHARED = {"intervals", "reading", "style", "variants"}
# A column that every reader of the file needs.
NEEDED = {
    "": "avg_at_k",
    "_runs": "samples",
    "_at_k": "value",
    "_comparisons": "p_holm",
    "_dynamics": "mean",
    "_efficiency": "area",
    "_gradient_use": "mean_weight",
    "_ratio_use": "share",
    "_ratio_moves": "beyond",
    "_snapshots": "entropy",
    "_facts": "gained",
    "tables/stability.csv": "collapsed",
}
READS = [(name, file) for name, (_, files) in DRAWN.items() for file in files]


def path_of(name, file, tables):
    """Return one of the files that a figure reads."""
    study, _ = DRAWN[name]
    return tables / f"{study}{file}.csv" if study else tables.parent / file


def test_every_script_is_tested():
    scripts = {path.stem for path in FIGURES.glob("*.py")} - SHARED
    assert scripts == {*DRAWN, "trust_regions", "growth"}


def test_growth_is_drawn_from_a_benchmark(tmp_path):
    axis = {
        "points": [1, 2, 4],
        "drawn_length": [20.0, 40.0, 80.0],
        "seconds": [0.1, 0.2, 0.4],
        "memory_mib": [10.0, 14.1, 20.0],
        "time_exponent": 1.0,
        "memory_exponent": 0.5,
    }
    axes = dict.fromkeys(("prompts", "length"), axis)
    benchmark = tmp_path / "benchmark.json"
    benchmark.write_text(json.dumps({"benchmarks": {"growth": {"details": {"axes": axes}}}}))
    script = FIGURES / "growth.py"
    command = [sys.executable, script, "--benchmark", benchmark, "--output", tmp_path]
    subprocess.run(command, check=True)
    with Image.open(tmp_path / "growth.png") as image:
        assert min(image.size) > 400
    assert (tmp_path / "growth.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", DRAWN)
@pytest.mark.slow
def test_equal_tables_give_equal_files(name, collapsed, draw, tmp_path):
    for folder in ("first", "second"):
        draw(name, collapsed, tmp_path / folder)
        assert {path.suffix for path in (tmp_path / folder).iterdir()} == {".pdf", ".png"}
    for end in ("pdf", "png"):
        first, second = (tmp_path / f / f"{name}.{end}" for f in ("first", "second"))
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "first" / f"{name}.pdf").read_bytes().startswith(b"%PDF")
    with Image.open(tmp_path / "first" / f"{name}.png") as image:
        assert min(image.size) > 300
        # Still readable in grey: more tones than those of paper and ink.
        assert len(image.convert("L").resize((64, 64)).getcolors(4096)) > 10
        # What ends at the edge may have been cut off.
        pixels = np.asarray(image.convert("L"))
        for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
            assert (edge == 255).all()


@pytest.mark.parametrize("name", ["avg_at_k", "trust_regions"])
@pytest.mark.slow
def test_a_script_runs_alone(name, collapsed, tmp_path):
    """As a command from elsewhere, without the package on the path for the figures of tables."""
    command = [sys.executable, FIGURES / f"{name}.py", "--output", tmp_path]
    if name in DRAWN:
        command += ["--tables", collapsed]
    subprocess.run(command, check=True, cwd=tmp_path)
    for end in ("pdf", "png"):
        assert (tmp_path / f"{name}.{end}").stat().st_size > 5000


@pytest.mark.slow
def test_a_matplotlibrc_of_the_machine_changes_nothing(collapsed, tmp_path):
    """TeX, which need not be there, and sizes, as a user's own file may set them."""
    own = "text.usetex: True\nfont.size: 20\nlines.linewidth: 9\nsavefig.facecolor: red\n"
    for name, content in (("plain", ""), ("own", own)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "matplotlibrc").write_text(content)
        subprocess.run(
            [sys.executable, FIGURES / "avg_at_k.py", "--tables", collapsed, "--output", "."],
            env={**os.environ, "MATPLOTLIBRC": str(tmp_path / name / "matplotlibrc")},
            cwd=tmp_path / name,
            check=True,
        )
    for end in ("pdf", "png"):
        plain, own = (tmp_path / name / f"avg_at_k.{end}" for name in ("plain", "own"))
        assert plain.read_bytes() == own.read_bytes()


def test_the_output_lies_beside_the_tables(script, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["x", "--tables", str(tmp_path / "suite" / "tables")])
    arguments = script("reading").arguments
    assert arguments("").output == tmp_path / "suite" / "figures" / "main"
    assert arguments("", study=None).output == tmp_path / "suite" / "figures"


@pytest.mark.parametrize(("name", "file"), READS)
def test_a_missing_file_is_named(name, file, collapsed, draw, tmp_path):
    shutil.copytree(collapsed.parent, tmp_path / "suite")
    path = path_of(name, file, tmp_path / "suite" / "tables")
    path.unlink()
    with pytest.raises(SystemExit) as stop:
        draw(name, tmp_path / "suite" / "tables", tmp_path / "out")
    assert f"{path} is missing" in str(stop.value)
    assert not (tmp_path / "out").exists()


def test_a_wrong_study_is_answered_with_those_there_are(script, tmp_path, monkeypatch, capsys):
    """The named command is one that helps: `all` alone builds no study that it does not name."""
    for name in ("main_runs.csv", "alpha_runs.csv", "alpha_at_k.csv", "cost.csv"):
        (tmp_path / name).write_text("a\n1\n")
    monkeypatch.setattr(sys, "argv", ["x", "--tables", str(tmp_path), "--study", "gate"])
    with pytest.raises(
        SystemExit, match=r"gate\.csv is missing: the studies there are alpha, main"
    ):
        script("avg_at_k").main()
    with pytest.raises(SystemExit, match=r"studies=NAME` the study of configs/study/NAME"):
        script("avg_at_k").main()
    with pytest.raises(SystemExit, match=r"--study gate: this figure is of alpha, beta alone"):
        script("sensitivity").main()
    monkeypatch.setattr(sys, "argv", ["x", "--tables", str(tmp_path / "none")])
    with pytest.raises(SystemExit, match=r"main\.csv is missing: the studies there are none;"):
        script("avg_at_k").main()


@pytest.mark.parametrize(("name", "file"), [pair for pair in READS if pair[0] != "claims"])
def test_a_missing_column_is_named(name, file, collapsed, draw, tmp_path):
    shutil.copytree(collapsed, tmp_path / "tables")
    path = path_of(name, file, tmp_path / "tables")
    pd.read_csv(path).drop(columns=NEEDED[file]).to_csv(path, index=False)
    with pytest.raises(SystemExit) as stop:
        draw(name, tmp_path / "tables", tmp_path / "out")
    assert f"{path} has no column {NEEDED[file]}" in str(stop.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("", "holds no claims"),
        ("[]", "holds no claims"),
        ('{"claims": []}', "the list is empty"),
        ('{"claims": [{"id": "x", "parts": [{}]}]}', "a part of x has no study"),
        ('{"claims": [{"id": "x"}]}', "there is no 'parts'"),
    ],
)
def test_bad_claims_are_named(content, named, draw, tmp_path):
    file = tmp_path / "claims.json"
    file.write_text(content)
    with pytest.raises(SystemExit, match=named) as stop:
        draw("claims", tmp_path / "tables", tmp_path / "out")
    assert str(file) in str(stop.value)


@pytest.mark.parametrize("content", ["", "variant,label\n", "\x00\x01"])
def test_an_empty_table_is_named(content, draw, tmp_path):
    file = tmp_path / "main_at_k.csv"
    file.write_text(content)
    with pytest.raises(SystemExit, match=r"main_at_k\.csv"):
        draw("pass_at_k", tmp_path, tmp_path / "out")


def test_a_study_without_a_factor_is_refused(collapsed, draw, tmp_path):
    with pytest.raises(SystemExit, match="--study main: this figure is of alpha, beta alone"):
        draw("sensitivity", collapsed, tmp_path, study="main")


def test_a_stability_table_without_factors_is_refused(collapsed, draw, tmp_path):
    table = pd.read_csv(collapsed / "stability.csv").assign(factor="colour")
    (tmp_path / "tables").mkdir()
    table.to_csv(tmp_path / "tables" / "stability.csv", index=False)
    with pytest.raises(SystemExit, match=r"stability\.csv has no row whose factor"):
        draw("stability", tmp_path / "tables", tmp_path / "out")
