"""Step: time and memory of the jobs that were run, as a table."""

from pathlib import Path

from maspo.config import Experiment
from maspo.files import write_text
from maspo.inert import csv
from maspo.reporting.usage import usage, usage_markdown
from maspo.steps.common import run_step


def write_usage(experiment: Experiment) -> None:
    """Write usage.csv, one row a job, and usage.md, one row a rule, into the results folder."""
    root = Path(experiment.results)
    table = usage(root / "usage", experiment.resources)
    write_text(root / "usage.csv", csv(table, float_format="%.2f"))
    write_text(root / "usage.md", usage_markdown(table))


if __name__ == "__main__":
    run_step(write_usage)
