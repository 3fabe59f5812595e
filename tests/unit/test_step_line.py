"""The command line that all steps share."""

import sys

import pytest

from maspo.steps.common import run_step


@pytest.fixture
def run(monkeypatch, capsys):
    """Return a function that gives the step's words behind a command line."""

    def work(experiment):
        """Do the work."""
        print("works", experiment.train.steps)

    def look(experiment):
        """Look at the work."""
        print("looks", experiment.train.steps)

    def of(*line, others=None):
        monkeypatch.setattr(sys, "argv", ["step", *line])
        run_step(work, ("seed",), others and {"--look": (look, ())})
        return capsys.readouterr().out.strip()

    return of


def test_a_step_takes_overrides_alone(run):
    assert run("scale=smoke", "seed=1", "train.steps=7") == "works 7"
    with pytest.raises(SystemExit, match="seed is missing: add seed="):
        run("scale=smoke")


def test_an_option_stands_anywhere_and_has_needs_of_its_own(run):
    for line in (["--look", "scale=smoke"], ["scale=smoke", "--look", "train.steps=6"]):
        assert run(*line, others=True) == "looks 6"
    assert run("scale=smoke", "seed=1", others=True) == "works 6"
    with pytest.raises(SystemExit):
        run("scale=smoke", "--look")


def test_help_lists_the_options(run, capsys):
    with pytest.raises(SystemExit):
        run("--help", others=True)
    assert "--look" in (text := capsys.readouterr().out)
    assert "Look at the work." in text
