"""Reading result files for the figures; nothing of the package is imported."""

import argparse
from pathlib import Path

import pandas as pd


def arguments(description: str) -> argparse.Namespace:
    """Return the command line that every figure of results shares."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--results", type=Path, default=Path("results/mini"))
    parser.add_argument("--sweep", default="main")
    parser.add_argument("--output", type=Path, help="default: RESULTS/figures/SWEEP")
    options = parser.parse_args()
    options.output = options.output or options.results / "figures" / options.sweep
    return options


def read_scores(results: Path, sweep: str) -> pd.DataFrame:
    """Return the scores of every run of a sweep, one row a run and benchmark."""
    return pd.read_csv(results / "tables" / f"{sweep}_runs.csv")


def read_metrics(results: Path, variant: str, seeds: list[int]) -> pd.DataFrame:
    """Return the training log of a variant, one row a seed and step."""
    frames = []
    for seed in seeds:
        path = results / "runs" / variant / f"seed_{seed}" / "metrics.jsonl"
        frames.append(pd.read_json(path, lines=True).assign(seed=seed))
    return pd.concat(frames, ignore_index=True)
