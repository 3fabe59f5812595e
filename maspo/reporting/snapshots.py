"""Scores and entropy of policies on the way through training, from the base policy to the end."""

from pathlib import Path

import numpy as np
import pandas as pd

from maspo.errors import DataError
from maspo.evaluation.records import read_snapshots
from maspo.layout import BASE_VARIANT
from maspo.reporting.results import Results
from maspo.reporting.run_scores import METRICS
from maspo.reporting.seeds import cells, columns, over_seeds
from maspo.reporting.study_data import AVERAGE, StudyData
from maspo.statistics import Outcomes, estimates, outcomes

SNAPSHOTS = ["variant", "label", "step", "seeds", "problems", "samples"]
SNAPSHOTS += columns("entropy", *METRICS)


def snapshots(data: StudyData) -> pd.DataFrame:
    """Return entropy and scores of a variant's policies by step, on the snapshots' problems.

    Step 0 is the base policy, the last one the policy at the end. Scores are those of the average
    over benchmarks at k = n, with the intervals of all scores. The entropy is the old policy's
    while the next step was sampled, so of this very policy; at the end that of the last step.
    Its interval is over seeds. Variants without snapshots have no rows.

    Raises:
        DataError: the seeds of a variant have snapshots of other steps or problems.
    """
    rows = []
    for variant in data.study.variants:
        runs = data.study.runs_of(variant)
        files = [data.results.snapshots_file(*run) for run in runs]
        if not any(file.is_file() for file in files):
            continue
        entropy = data.logged(variant, "entropy")  # (seeds, steps)
        last = entropy.shape[1]
        points = _on_the_way(data.results, files)
        shown = next(iter(points.values()))
        points = {
            0: _restricted(data.outcomes(BASE_VARIANT), shown),
            **points,
            last: _restricted(data.outcomes(variant), shown),
        }
        for step, outcome in points.items():
            row = {
                "variant": variant,
                "label": data.label(variant),
                "step": step,
                "seeds": len(runs),
            }
            row |= {"problems": len(outcome.benchmarks), "samples": outcome.samples}
            logged = entropy[:, min(step, last - 1)]  # column i is step i + 1, sampled after step i
            row |= cells("entropy", over_seeds(logged, data.level, 0))
            rows.append(row | _scores(data, outcome))
    return pd.DataFrame(rows, columns=SNAPSHOTS)


def _on_the_way(results: Results, files: list[Path]) -> dict[int, Outcomes]:
    """Return the outcomes of the snapshots of a variant's seeds, by step."""
    frames = [results.once(read_snapshots, file) for file in files]
    steps = [sorted(frame["step"].unique()) for frame in frames]
    if any(other != steps[0] for other in steps):
        raise DataError(
            f"{files[0].parents[1]}: the seeds have snapshots of the steps {steps}: train and "
            "evaluate them with the same train.snapshots"
        )
    return {
        int(step): outcomes([frame[frame["step"] == step] for frame in frames]) for step in steps[0]
    }


def _restricted(whole: Outcomes, shown: Outcomes) -> Outcomes:
    """Return the outcomes of the problems in `shown` alone."""
    places = {key: i for i, key in enumerate(zip(whole.benchmarks, whole.problems, strict=True))}
    keys = list(zip(shown.benchmarks, shown.problems, strict=True))
    if lacking := [key for key in keys if key not in places]:
        raise DataError(f"problem {lacking[0][1]} of {lacking[0][0]} is in snapshots alone")
    correct = whole.correct[:, [places[key] for key in keys]]
    return Outcomes(np.ascontiguousarray(correct), shown.benchmarks, shown.problems)


def _scores(data: StudyData, outcome: Outcomes) -> dict[str, float]:
    """Return each metric of the average with its bounds, as the columns of a row."""
    table = estimates({"": outcome}, data.analysis.statistics, ks=(outcome.samples,))
    average = table[table["benchmark"] == AVERAGE].set_index("metric")
    found = {}
    for column, metric in METRICS.items():
        found |= cells(column, tuple(average.loc[metric, ["value", "low", "high"]]))
    return found
