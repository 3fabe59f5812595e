"""Fabricated tables, and the scripts run on them in this process."""

import runpy
import sys
from pathlib import Path
from types import SimpleNamespace

import matplotlib.pyplot as plt
import pytest

from figures_data import DRAWN, fabricate

FIGURES = Path(__file__).parents[3] / "figures"


@pytest.fixture(autouse=True)
def close_figures():
    """Free the figures that a test has drawn."""
    yield
    plt.close("all")


@pytest.fixture(scope="session")
def alike(tmp_path_factory):
    """Return the ``tables/`` of a suite in which all methods end alike."""
    return fabricate(tmp_path_factory.mktemp("alike"), "alike")


@pytest.fixture(scope="session")
def collapsed(tmp_path_factory):
    """Return the ``tables/`` of a suite in which some methods collapse."""
    return fabricate(tmp_path_factory.mktemp("collapsed"), "collapse")


@pytest.fixture
def script(monkeypatch):
    """Return what a figure's script, or a module that they share, defines, in the usual style."""
    monkeypatch.syspath_prepend(FIGURES)

    def load(name):
        return SimpleNamespace(**runpy.run_path(str(FIGURES / f"{name}.py")))

    with plt.rc_context():
        load("style").apply_style()
        yield load


@pytest.fixture
def draw(monkeypatch):
    """Run a figure's script as its command line does."""
    monkeypatch.syspath_prepend(FIGURES)

    def run(name, tables, output, study=None):
        study = study or DRAWN[name][0]
        command = [f"{name}.py", "--tables", str(tables), "--output", str(output)]
        command += ["--study", study] if study else []
        monkeypatch.setattr(sys, "argv", command)
        runpy.run_path(str(FIGURES / f"{name}.py"), run_name="__main__")

    return run
