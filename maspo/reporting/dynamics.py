"""Training curves, and which tokens a method learned from; both over the seeds of a study."""

from itertools import pairwise

import numpy as np
import pandas as pd

from maspo.errors import DataError
from maspo.reporting.labels import label
from maspo.reporting.study_data import StudyData
from maspo.statistics import seed_mean

CURVES = (
    *("reward", "entropy", "gated_fraction", "completion_length"),
    *("gradient_norm", "weight_mean", "ratio_max"),
)
DYNAMICS = ["variant", "label", "step", "metric", "mean", "low", "high", "seeds"]
GRADIENT_USE = ["variant", "label", "bin_low", "bin_high", "tokens"]
GRADIENT_USE += ["nonzero_fraction", "nonzero_low", "nonzero_high"]
GRADIENT_USE += ["mean_weight", "weight_low", "weight_high"]


def dynamics(data: StudyData) -> pd.DataFrame:
    """Return the mean of each logged metric at each step, with its interval over seeds.

    Columns: `DYNAMICS`; with one seed the bounds are empty.
    """
    seeds, frames = data.study.seeds, []
    for variant in data.study.variants:
        for metric in CURVES:
            values = data.results.curves(data.study.runs_of(variant), metric)
            if values is None:
                continue
            mean, low, high = seed_mean(values, data.analysis.statistics.level)
            steps = np.arange(1, values.shape[1] + 1)
            columns = {"step": steps, "metric": metric, "mean": mean, "low": low, "high": high}
            frame = pd.DataFrame(columns).assign(variant=variant, label=label(variant), seeds=seeds)
            frames.append(frame[DYNAMICS])
    return pd.concat(frames, ignore_index=True)


def gradient_use(data: StudyData) -> pd.DataFrame:
    """Return how a method uses the tokens of each bin of the old probability, over a whole run.

    Of the tokens with an advantage but 0: `tokens` of all seeds, the fraction with a gradient but
    0 and the mean gradient weight (1 is the plain policy gradient's), with intervals over the
    seeds that have tokens in the bin. No rows, if no run logged it (verl does not).

    Raises:
        DataError: one log has no `gradient_use` and another has, or other bins than the rest.
    """
    rows = []
    if not any("gradient_use" in row for run in data.study.runs for row in data.results.log(*run)):
        return pd.DataFrame(columns=GRADIENT_USE)
    for variant in data.study.variants:
        runs = [_uses(data, *run) for run in data.study.runs_of(variant)]
        edges = runs[0][0]
        if any(other != edges for other, _ in runs):
            raise DataError(
                f"{data.results.layout.run(variant, 0).parent}: the seeds log gradient_use in "
                "different bins: train them with one version"
            )
        sums = np.stack([use for _, use in runs])  # (seeds, 3, bins)
        for i, (low, high) in enumerate(pairwise(edges)):
            tokens, nonzero, weight = sums[:, :, i].T
            some = tokens > 0
            row = {"variant": variant, "label": label(variant), "bin_low": low, "bin_high": high}
            row["tokens"] = int(tokens.sum())
            for (name, start), values in zip(
                (("nonzero_fraction", "nonzero"), ("mean_weight", "weight")),
                (nonzero, weight),
                strict=True,
            ):
                means = values[some] / tokens[some]
                bounds = (np.nan,) * 3
                if some.any():
                    bounds = seed_mean(means, data.analysis.statistics.level)
                if start == "nonzero":
                    bounds = np.clip(bounds, 0.0, 1.0)  # a share
                row |= zip((name, f"{start}_low", f"{start}_high"), map(float, bounds), strict=True)
            rows.append(row)
    return pd.DataFrame(rows, columns=GRADIENT_USE)


def _uses(data: StudyData, variant: str, seed: int) -> tuple[tuple[float, ...], np.ndarray]:
    """Return the bins' edges and the (3, bins) sums over the steps of one run."""
    total, edges = None, None
    for row in data.results.log(variant, seed):
        use = row.get("gradient_use")
        path = data.results.layout.run(variant, seed)
        if use is None:
            raise DataError(
                f"{path}/metrics.jsonl, step {row.get('step')}, has no gradient_use: an older "
                f"version wrote it; delete {path} to train this run again"
            )
        counts = np.array([use["tokens"], use["nonzero"], use["weight"]], dtype=float)
        if edges not in (None, tuple(use["edges"])):
            raise DataError(f"{path}/metrics.jsonl, step {row['step']}: gradient_use in new bins")
        edges, total = tuple(use["edges"]), counts if total is None else total + counts
    return edges, total
