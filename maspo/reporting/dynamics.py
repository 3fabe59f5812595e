"""Training curves over the seeds of a study."""

import numpy as np
import pandas as pd

from maspo.reporting.study_data import StudyData
from maspo.statistics import seed_mean

CURVES = (
    *("reward", "entropy", "gated_fraction", "completion_length"),
    *("gradient_norm", "weight_mean", "ratio_max"),
)
DYNAMICS = ["variant", "label", "step", "metric", "mean", "low", "high", "seeds"]


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
            frame = pd.DataFrame(columns).assign(
                variant=variant, label=data.label(variant), seeds=seeds
            )
            frames.append(frame[DYNAMICS])
    return pd.concat(frames, ignore_index=True)
