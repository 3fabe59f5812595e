"""Two jobs at once, as Snakemake runs them on two cores, against one alone.

    python -m benchmarks two_jobs

Two hyperthreads may share the units of one core, and then two jobs slow each other whatever they
do. How much the hardware itself costs is measured with matrix products alone, beside RL steps; what
an RL step loses beyond that would be the project's. One job with two threads is the alternative to
two jobs. For an otherwise idle machine with two logical cores.
"""

import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection

import torch

from benchmarks.harness import Measurement, Report, ratios
from benchmarks.mini import deterministic, mini_results, mini_trainer
from maspo.verifier import Verifier

STEPS = 3  # RL steps a turn
PRODUCTS = 100  # matrix products a turn


def rl_steps() -> Iterator[None]:
    """Train on, `STEPS` steps each time it is resumed."""
    with Verifier(rules=["equals"]) as verifier, deterministic():
        trainer, step = mini_trainer(mini_results(), verifier), 0
        while True:
            for _ in range(STEPS):
                trainer.step(step := step + 1)
            yield


def products() -> Iterator[None]:
    """Multiply matrices that stay in the core's cache."""
    matrix = torch.ones(512, 512)
    while True:
        for _ in range(PRODUCTS):
            matrix @ matrix
        yield


WORK: dict[str, Callable[[], Iterator[None]]] = {"RL steps": rl_steps, "products": products}


def serve(connection: Connection, threads: int) -> None:
    """Do the work whose name arrives, and answer with its seconds, until the name is empty."""
    torch.set_num_threads(threads)
    works = {name: make() for name, make in WORK.items()}
    while name := connection.recv():
        start = time.perf_counter()
        next(works[name])
        connection.send(time.perf_counter() - start)


@contextmanager
def job(threads: int) -> Iterator[Connection]:
    """Start a job; names of work go in, seconds come out."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=serve, args=(theirs, threads))
    process.start()
    try:
        yield ours
    finally:
        ours.send("")
        process.join()


def at_once(name: str, *jobs: Connection) -> float:
    """Return the mean seconds of jobs that do the same work at the same time."""
    for one in jobs:
        one.send(name)
    return sum(one.recv() for one in jobs) / len(jobs)


def measure(quick: bool) -> Report:
    """Turns of: one job, one job with two threads, two jobs."""
    with ExitStack() as stack:
        first, second, wide = (stack.enter_context(job(threads)) for threads in (1, 1, 2))
        arrangements = {
            "one job": (first,),
            "one job, two threads": (wide,),
            "two jobs at once": (first, second),
        }
        found = []
        for name in WORK:
            seconds: dict[str, list[float]] = {label: [] for label in arrangements}
            for turn in range(-1, 3 if quick else 9):
                for label, jobs in arrangements.items():
                    elapsed = at_once(name, *jobs)
                    if turn >= 0:  # the first turn warms up
                        seconds[label].append(elapsed)
            alone = seconds.pop("one job")
            found.append(Measurement(f"{name}, one job", alone))
            found += [
                Measurement(f"{name}, {label} / one job", ratios(values, alone), "x")
                for label, values in seconds.items()
            ]
    text = (
        "Seconds of a job, relative to the same job alone with one thread. Two jobs at once do "
        "more than one after the other where their ratio is below 2, and more than one job with "
        "two threads where it is below twice that one's."
    )
    return Report("Two jobs at once", found, text)
