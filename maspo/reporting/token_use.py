"""Which tokens a method learned from, by old probability and by ratio, and where they went.

All from counts that the training logs (`maspo.training.token_counts`).
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maspo.errors import DataError
from maspo.reporting.seeds import cells, columns, over_seeds
from maspo.reporting.study_data import StudyData

USE = ["variant", "label", "bin_low", "bin_high", "tokens"]
USE += ["nonzero_fraction", "nonzero_low", "nonzero_high"]
USE += ["mean_weight", "weight_low", "weight_high", *columns("share")]
REGION = 1.2  # where GRPO clips a token of a right answer; of a wrong one at 1 / 0.8 = 1.25
WAYS = ("further", "same", "nearer", "back", "beyond")
MOVES = ["variant", "label", "step", "bin_low", "bin_high", "tokens", *columns("share", *WAYS)]


def gradient_use(data: StudyData) -> pd.DataFrame:
    """Return how a method uses the tokens of each bin of the old probability, over a whole run.

    Of the tokens with an advantage but 0: `tokens` of all seeds, the fraction with a gradient but
    0, the mean gradient weight (1 is the plain policy gradient's) and the bin's share of them,
    with intervals over the seeds that have tokens in the bin. No rows, if no run logged it (verl
    does not).

    Raises:
        DataError: one log has no `gradient_use` and another has, or other bins than the rest.
    """
    return _use(data, "gradient_use")


def ratio_use(data: StudyData) -> pd.DataFrame:
    """Return the same as `gradient_use`, by bins of the outward ratio: of the trust region itself.

    Raises:
        DataError: as `gradient_use`.
    """
    return _use(data, "ratio_use")


def ratio_moves(data: StudyData) -> pd.DataFrame:
    """Return where the later updates of a batch left the tokens of each bin of the ratio.

    A row is a step of `train.snapshots` and a bin of the outward ratio at the token's own update.
    Behind the last update of the batch its tokens are `further` out (in a higher bin), in the
    `same` bin, `nearer` (in a lower bin, but not below 1.2) or `back` (in a lower bin, below 1.2);
    `beyond` is the share at or above 1.2 then, wherever they were before. `tokens` are of all
    seeds, `share` is the bin's share of the step's tokens; intervals are over the seeds that have
    tokens in the bin. No rows, if no run logged it.

    Raises:
        DataError: the seeds of a variant logged it at other steps, or in other bins.
    """
    rows = []
    for variant in data.study.variants:
        runs = [_moves(data, *run) for run in data.study.runs_of(variant)]
        if any(edges != runs[0][0] or list(run) != list(runs[0][1]) for edges, run in runs):
            raise DataError(
                f"{data.results.layout.run(variant, 0).parent}: the seeds log ratio_moves at other "
                "steps or in other bins: train them with one version and the same train.snapshots"
            )
        for step in runs[0][1]:
            counts = np.stack([run[step] for _, run in runs])  # (seeds, bins before, bins after)
            start = {"variant": variant, "label": data.label(variant), "step": step}
            rows += [start | row for row in _moved(counts, runs[0][0], data.level)]
    return pd.DataFrame(rows, columns=MOVES)


def _use(data: StudyData, column: str) -> pd.DataFrame:
    rows = []
    if not any(column in row for run in data.study.runs for row in data.results.log(*run)):
        return pd.DataFrame(columns=USE)
    for variant in data.study.variants:
        runs = [_uses(data, column, *run) for run in data.study.runs_of(variant)]
        edges = runs[0][0]
        if any(other != edges for other, _ in runs):
            raise DataError(
                f"{data.results.layout.run(variant, 0).parent}: the seeds log {column} in "
                "different bins: train them with one version"
            )
        sums = np.stack([use for _, use in runs])  # (seeds, 3, bins)
        everything = sums[:, 0].sum(axis=1)
        for i, (low, high) in enumerate(pairwise(edges)):
            tokens, nonzero, weight = sums[:, :, i].T
            row = {
                "variant": variant,
                "label": data.label(variant),
                "bin_low": low,
                "bin_high": high,
            }
            row["tokens"] = int(tokens.sum())
            fraction = over_seeds(_ratio(nonzero, tokens), data.level, 0, 1)
            row |= zip(USE[5:8], fraction, strict=True)
            row |= zip(USE[8:11], over_seeds(_ratio(weight, tokens), data.level), strict=True)
            share = over_seeds(_ratio(tokens, everything), data.level, 0, 1)
            rows.append(row | cells("share", share))
    return pd.DataFrame(rows, columns=USE)


def _uses(
    data: StudyData, column: str, variant: str, seed: int
) -> tuple[tuple[float, ...], NDArray[np.float64]]:
    """Return the bins' edges and the (3, bins) sums over the steps of one run."""
    total, edges = None, None
    for row in data.results.log(variant, seed):
        use = row.get(column)
        path = data.results.layout.run(variant, seed)
        if use is None:
            raise DataError(
                f"{path}/metrics.jsonl, step {row.get('step')}, has no {column}: an older "
                f"version wrote it; delete {path} to train this run again"
            )
        counts = np.array([use["tokens"], use["nonzero"], use["weight"]], dtype=float)
        if edges not in (None, tuple(use["edges"])):
            raise DataError(f"{path}/metrics.jsonl, step {row['step']}: {column} in new bins")
        edges, total = tuple(use["edges"]), counts if total is None else total + counts
    return edges, total


def _moves(
    data: StudyData, variant: str, seed: int
) -> tuple[tuple[float, ...], dict[int, NDArray[np.float64]]]:
    """Return the bins' edges and the (bins, bins) counts of a run by step."""
    rows = [row for row in data.results.log(variant, seed) if "ratio_moves" in row]
    edges = {tuple(row["ratio_use"]["edges"]) for row in rows}
    if len(edges) > 1:
        raise DataError(
            f"{data.results.layout.run(variant, seed)}/metrics.jsonl: ratios in new bins"
        )
    counts = {row["step"]: np.array(row["ratio_moves"], dtype=float) for row in rows}
    return next(iter(edges), ()), counts


def _moved(
    counts: NDArray[np.float64], edges: Sequence[float], level: float
) -> list[dict[str, float]]:
    """Return the cells of each bin of one step's counts (S, bins before, bins after)."""
    outside = np.array(edges[:-1]) >= REGION
    tokens = counts.sum(axis=2)  # (S, bins before)
    rows = []
    for i, (low, high) in enumerate(pairwise(edges)):
        bins = np.arange(len(outside))
        ends = {
            "further": bins > i,
            "same": bins == i,
            "nearer": (bins < i) & outside,
            "back": (bins < i) & ~outside,
            "beyond": outside,
        }
        row = {"bin_low": low, "bin_high": high, "tokens": int(tokens[:, i].sum())}
        row |= cells("share", over_seeds(_ratio(tokens[:, i], tokens.sum(axis=1)), level, 0, 1))
        for way, chosen in ends.items():
            there = counts[:, i, chosen].sum(axis=1)
            row |= cells(way, over_seeds(_ratio(there, tokens[:, i]), level, 0, 1))
        rows.append(row)
    return rows


def _ratio(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return part / whole, both (S,); NaN where there is nothing."""
    return np.divide(part, whole, out=np.full_like(part, np.nan), where=whole > 0)
