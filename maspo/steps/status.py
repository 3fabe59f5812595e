"""Step: what of a suite is done, running and left, and how long it will take; it changes nothing.

python -m maspo.steps.status scale=mini suite=full
"""

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from maspo.config import Experiment, changes, chosen, workflow_command
from maspo.inert import printable
from maspo.reporting.progress import STATES, Job, Progress
from maspo.steps.common import run_step


def status(experiment: Experiment) -> None:
    """Print the state of a suite, by the files of the results folder."""
    progress = Progress.of(experiment)
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{printable(experiment.results)}, suite {experiment.suite}", markup=False)
    table = Table("step", *STATES, "seconds each", box=box.SIMPLE_HEAD, pad_edge=False)
    for step in progress.steps:
        each = progress.each(step)
        counts = [str(len(progress.those(state, step)) or "") for state in STATES]
        table.add_row(step, *counts, "" if each is None else f"{each:.1f}")
    console.print(table)
    for state in ("running", "stopped"):
        for job in progress.those(state):
            console.print(f"{state}: {line(job, state)}", markup=False)
    how = workflow_command(experiment, experiment.suite, chosen(experiment), changes(experiment))
    console.print(escape(printable(left(progress, how))))


def line(job: Job, state: str) -> str:
    """Return what a job is at; of one that stopped, where to look."""
    text = f"{job.step} {job.name}"
    if job.rows:
        text += f", step {job.rows} of {job.steps}"
    if state == "stopped":
        text += f" ({printable(job.error)})" if job.error else ""
        text += f"; its log: {job.log}"
    return text


def left(progress: Progress, how: str) -> str:
    """Return the time that is left, in words, and the command `how` if nothing is running."""
    if len(progress.those("done")) == len(progress.jobs):
        return f"All {len(progress.jobs)} jobs are done."
    running, seconds = len(progress.those("running")), progress.seconds_left
    if not seconds:
        text = "How long it takes is not known yet"
    elif running:
        jobs = "jobs" if running > 1 else "job"
        text = f"About {words(seconds / running)} left with {running} {jobs} at a time"
    else:
        text = f"About {words(seconds)} of work left"
    if seconds and progress.unknown:
        text += f", not counting {', '.join(progress.unknown)}: none is done yet"
    return text + ("." if running else f". Nothing is running: `{how}` goes on.")


def words(seconds: float) -> str:
    """Return a span of time for a person."""
    for unit, size in (("hours", 3600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} seconds"


if __name__ == "__main__":
    run_step(status)
