"""Seconds until the difference of two methods in Avg@32 is known to one point, at 95 %.

    python -m benchmarks.evidence results/mini   # with the others: python -m benchmarks evidence

This is speed times precision: the seeds that the spread of the paired differences asks for, times
what a seed costs: its base policy, and a run and an evaluation of each method. Nothing is run: the
spread and the seconds are those of a finished results folder: wall seconds of jobs, because the
processor time that Snakemake gives misses what comes after its last sample, up to half a minute.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from benchmarks.harness import ROOT, Measurement, Report
from maspo.layout import BASE_VARIANT, Layout
from maspo.statistics import plan, variance_components
from maspo.statistics.__main__ import load

METHOD, REFERENCE = "maspo", "grpo"
HALF_WIDTH = 0.01


@dataclass(frozen=True)
class Evidence:
    """What a point costs; seconds are means over the seeds that both methods have."""

    pairs: int
    seeds: int
    base: float  # by its manifest, since Snakemake measures no job that it may cache
    train: float  # of both methods
    evaluate: float  # of both methods and of the base policy

    @property
    def seed(self) -> float:
        """Seconds that one seed costs."""
        return self.base + self.train + self.evaluate

    @property
    def total(self) -> float:
        """Seconds until the difference is known to the half-width."""
        return self.seeds * self.seed


def evidence(results: Path) -> Evidence:
    """Return what a point of the paired difference costs, by the runs of a results folder."""
    layout = Layout(results)
    seeds = sorted(_seeds(results, METHOD) & _seeds(results, REFERENCE))
    records = [
        [layout.evaluation(variant, seed) / "records.parquet" for seed in seeds]
        for variant in (METHOD, REFERENCE)
    ]
    options = plan(
        variance_components(*map(load, records)),
        HALF_WIDTH,
        range(2, 400),
        [32],
        same_problems=True,
    )
    manifests = [layout.policy(BASE_VARIANT, seed).parent / "manifest.json" for seed in seeds]
    base = [json.loads(path.read_text())["time"]["seconds"]["train"] for path in manifests]
    both = (METHOD, REFERENCE)
    return Evidence(
        pairs=len(seeds),
        seeds=int(options.seeds[0]),
        base=sum(base) / len(base),
        train=sum(_seconds(results, "train", variant, seeds) for variant in both),
        evaluate=sum(
            _seconds(results, "evaluate", variant, seeds) for variant in (*both, BASE_VARIANT)
        ),
    )


def _seeds(results: Path, variant: str) -> set[int]:
    folders = (results / "evaluation" / variant).glob("seed_*/records.parquet")
    return {int(path.parent.name.removeprefix("seed_")) for path in folders}


def _seconds(results: Path, rule: str, variant: str, seeds: list[int]) -> float:
    """Return the mean wall time of a job, as Snakemake measured it."""
    files = [results / "usage" / rule / variant / f"seed_{seed}.tsv" for seed in seeds]
    return pd.concat(pd.read_csv(file, sep="\t") for file in files).s.mean()


def text(found: Evidence) -> str:
    """Return the result in one sentence."""
    return (
        f"{found.seeds} seeds by the spread of {found.pairs} pairs, at {found.seed:.0f} s a seed "
        f"(base policy {found.base:.0f}, two runs {found.train:.0f}, three evaluations "
        f"{found.evaluate:.0f}): {found.total:.0f} seconds of jobs until {METHOD} - {REFERENCE} in "
        f"Avg@32 is known to {100 * HALF_WIDTH:.0f} point."
    )


def measure(quick: bool) -> Report:
    """The finished DAG of scale mini in this checkout; nothing is run."""
    results = ROOT / "results" / "mini"
    if len(_seeds(results, METHOD) & _seeds(results, REFERENCE)) < 2:
        return Report("Evidence", [], "results/mini has no two seeds of both methods.")
    found = evidence(results)
    return Report("Evidence", [Measurement("seconds to a point", [found.total])], text(found))


if __name__ == "__main__":
    print(text(evidence(Path(sys.argv[1]))))
