"""How far a suite is, by the files of its results folder: done, running, stopped, left.

Nothing is asked of Snakemake, so it holds for steps on a cluster and by hand as well. What is done
is what has a manifest; whether Snakemake would make it again is told by `snakemake -n`.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

from maspo.config import Experiment, load_suite
from maspo.layout import BASE_VARIANT, Layout
from maspo.reporting.outputs import suite_figures, suite_pages
from maspo.unfinished import in_work

STATES = ("done", "running", "stopped", "left")
SILENT = 600.0  # seconds without a word, after which a job without a lock counts as stopped
STARTING = 120.0  # seconds that a job may take from its start to its lock
TAIL = 4096  # bytes of a log's end


@dataclass(frozen=True)
class Job:
    """One job of the workflow."""

    step: str
    name: str
    product: Path  # is there when the job is done
    results: Path
    place: str  # of its files below ``logs/`` and ``usage/``
    unfinished: Path | None = None  # the folder of what it has done so far, with its lock
    steps: int = 0  # rows of its own log in the end, where it writes one

    @property
    def log(self) -> Path:
        """What it prints."""
        return self.results / "logs" / f"{self.place}.log"

    @property
    def rows(self) -> int:
        """Rows of its own log so far."""
        if self.unfinished is None or not self.steps:
            return 0
        return _text(self.unfinished / "timings.jsonl").count("\n")

    @property
    def part(self) -> float:
        """How much of it is done, in [0, 1], as far as it tells."""
        return min(1.0, self.rows / self.steps) if self.steps else 0.0

    @property
    def state(self) -> str:
        """One of `STATES`."""
        if self.product.exists():
            return "done"
        if self.unfinished is not None and in_work(self.unfinished):
            return "running"
        if not self.log.is_file():
            begun = self.unfinished is not None and self.unfinished.is_dir()
            return "stopped" if begun else "left"
        silent = time.time() - self.log.stat().st_mtime > (STARTING if self.unfinished else SILENT)
        return "stopped" if silent or self.error else "running"

    @property
    def error(self) -> str:
        """The last line of its log that tells of an error, or nothing."""
        lines = _text(self.log)[-TAIL:].splitlines()
        return next((line for line in reversed(lines) if "rror" in line), "")

    @property
    def seconds(self) -> float | None:
        """Seconds that it took or, if it tells how far it is, will take; None if nobody knows.

        By Snakemake's own measurement where there is one, else by the manifest.
        """
        try:
            if self.product.exists():
                if usage := _text(self.results / "usage" / f"{self.place}.tsv"):
                    return float(usage.splitlines()[1].split("\t")[0])
                return sum(json.loads(_text(self.product))["time"]["seconds"].values())
            count = self.rows  # whole ones: the last may be half written
            rows = _text(self.unfinished / "timings.jsonl").splitlines()[:count] if count else []
            spent = [json.loads(row)["seconds"] for row in rows]
            return fmean(spent) * self.steps if spent else None
        except (KeyError, ValueError, IndexError, TypeError, AttributeError):
            return None  # of another kind, or just being written


def jobs_of(experiment: Experiment) -> Iterator[Job]:
    """Yield every job behind the experiment's suite, in the order of the workflow."""
    layout, suite = Layout(Path(experiment.results)), experiment.suite
    studies = load_suite(experiment, suite)
    bases = dict.fromkeys(seed for study in studies.values() for seed in study.base_seeds)
    runs = dict.fromkeys(run for study in studies.values() for run in study.runs)

    def job(step: str, name: str, product: Path, place: str, *unfinished: Any) -> Job:
        return Job(step, name, product, layout.root, place, *unfinished)

    yield job("data", "", layout.data / "manifest.json", "data")
    for seed in bases:
        name = f"seed_{seed}"
        yield job("base", name, layout.base(seed) / "manifest.json", f"base/{name}")
    for run in runs:
        name = "{}/seed_{}".format(*run)
        product, began = layout.run(*run) / "manifest.json", layout.checkpoints(*run)
        yield job("train", name, product, f"train/{name}", began, experiment.train.steps)
    for policy in [*((BASE_VARIANT, seed) for seed in bases), *runs]:
        name = "{}/seed_{}".format(*policy)
        product = layout.evaluation(*policy) / "manifest.json"
        began = layout.unfinished_evaluation(*policy)
        yield job("evaluate", name, product, f"evaluate/{name}", began)
    for study in studies:
        product = layout.tables(suite) / f"{study}_manifest.json"
        yield job("table", study, product, f"table/{suite}/{study}")
    yield job("claims", suite, layout.suite(suite) / "claims_manifest.json", f"claims/{suite}")
    figures, pages = suite_figures(experiment, studies), suite_pages(studies)
    for step, names, kind in (("figures", figures, "png"), ("pages", pages, "html")):
        for name in names:
            product = layout.suite(suite) / step / f"{name}.{kind}"
            yield job(step, name, product, f"{step}/{suite}/{name}")


@dataclass(frozen=True)
class Progress:
    """The jobs of a suite with their states."""

    jobs: Sequence[tuple[Job, str]]

    @classmethod
    def of(cls, experiment: Experiment) -> "Progress":
        """Look at the files of an experiment's suite."""
        return cls([(job, job.state) for job in jobs_of(experiment)])

    def those(self, state: str, step: str | None = None) -> list[Job]:
        """Return the jobs in a state, of one step or of all."""
        return [job for job, found in self.jobs if found == state and step in (None, job.step)]

    @property
    def steps(self) -> list[str]:
        """The steps, in the order of the workflow."""
        return list(dict.fromkeys(job.step for job, _ in self.jobs))

    def each(self, step: str) -> float | None:
        """Return the mean seconds of the jobs of a step that are done, or else are under way."""
        for state in ("done", "running", "stopped"):
            found = [job.seconds for job in self.those(state, step)]
            if known := [seconds for seconds in found if seconds is not None]:
                return fmean(known)
        return None

    @property
    def unknown(self) -> list[str]:
        """Steps of which nothing tells how long they take."""
        waiting = dict.fromkeys(job.step for job, state in self.jobs if state != "done")
        return [s for s in waiting if self.each(s) is None and not self.those("done", s)]

    @property
    def seconds_left(self) -> float:
        """Seconds of jobs that are left, one after the other, of the steps that are known."""
        return sum(
            (self.each(job.step) or 0.0) * (1 - job.part)
            for job, state in self.jobs
            if state != "done"
        )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
