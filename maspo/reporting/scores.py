"""The scores of every run of a sweep, and their means over seeds."""

from collections.abc import Sequence

import pandas as pd

from maspo.evaluation.records import read_records, score
from maspo.layout import BASE_VARIANT, Layout

AVERAGE = "average"  # the unweighted mean over benchmarks, as in the paper's last column
METRICS = ["avg_at_k", "pass_at_k", "best_at_k"]
LABELS = {
    BASE_VARIANT: "Base policy",
    "grpo": "GRPO",
    "clip_higher": "Clip Higher",
    "dac": "DAC",
    "entropy_adv": "Entropy Adv.",
    "bapo": "BAPO",
    "sapo": "SAPO",
    "sapo_unilateral": "SAPO (unilateral)",
    "cispo": "CISPO",
    "gspo": "GSPO",
    "dgpo": "DGPO",
    "dr_grpo": "Dr. GRPO",
    "maspo": "MASPO",
}


def run_scores(layout: Layout, runs: Sequence[tuple[str, int]]) -> pd.DataFrame:
    """Return one row a run and benchmark, plus the run's average, from records alone.

    Columns: variant, label, seed and those of `maspo.evaluation.records.score`.
    """
    frames = []
    for variant, seed in runs:
        scores = score(read_records(layout.evaluation(variant, seed) / "records.parquet"))
        average = {"benchmark": AVERAGE, **scores.drop(columns="benchmark").mean().to_dict()}
        for count in ("problems", "no_answer", "timeout", "error"):
            average[count] = scores[count].sum()
        scores = pd.concat([scores, pd.DataFrame([average])], ignore_index=True)
        scores.insert(0, "variant", variant)
        scores.insert(1, "label", LABELS.get(variant, variant.replace("_", " ")))
        scores.insert(2, "seed", seed)
        frames.append(scores)
    table = pd.concat(frames, ignore_index=True)
    counts = ["problems", "samples", "no_answer", "timeout", "error"]
    return table.astype(dict.fromkeys(counts, "int64"))


def mean_scores(runs: pd.DataFrame) -> pd.DataFrame:
    """Return mean and standard deviation over seeds, one row a variant and benchmark.

    Adds `seeds`, and for each metric ``<metric>_std`` (sample standard deviation; empty with one
    seed). The order of variants and benchmarks is that of `runs`.
    """
    groups = runs.groupby(["variant", "label", "benchmark"], sort=False)
    means = groups[METRICS].mean()
    means.insert(0, "seeds", groups["seed"].nunique())
    return means.join(groups[METRICS].std(ddof=1).add_suffix("_std")).reset_index()
