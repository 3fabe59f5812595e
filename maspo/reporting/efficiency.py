"""How fast a run learns: the area under its reward curve, and the steps to given rewards."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maspo.reporting.analysis import Efficiency
from maspo.reporting.format import NOTHING, fixed, interval, markdown, percent
from maspo.reporting.study_data import StudyData
from maspo.statistics import seed_mean


def running_mean(values: NDArray[np.float64], window: int) -> NDArray[np.float64]:
    """Return the means of `window` consecutive values (of all, if there are fewer)."""
    window = min(window, len(values))
    return np.convolve(values, np.full(window, 1 / window), mode="valid")


def steps_to(values: Sequence[float], reward: float, window: int) -> float:
    """Return the first step (from 1) at which the last `window` rewards reach `reward` on average.

    NaN if it never did.
    """
    values = np.asarray(values, dtype=float)
    means = running_mean(values, window)
    reached = np.flatnonzero(means >= reward - 1e-9)  # the sum of a mean may round down
    return float(reached[0] + len(values) - len(means) + 1) if len(reached) else float("nan")


def efficiency(data: StudyData) -> pd.DataFrame:
    """Return one row a run: variant, label, seed, area (mean reward over steps), steps_to_<r>.

    A reward that was never reached leaves its cell empty. Columns area_low and area_high hold the
    interval of the variant's mean area over seeds, the same in each of its rows.
    """
    settings: Efficiency = data.analysis.efficiency
    level = data.analysis.statistics.level
    rows = []
    for variant in data.study.variants:
        rewards = data.logged(variant, "reward")
        _, low, high = seed_mean(rewards.mean(axis=1), level)
        for seed, values in enumerate(rewards, start=data.study.first_seed):
            row = {"variant": variant, "label": data.label(variant), "seed": seed}
            row |= {"area": values.mean(), "area_low": low, "area_high": high}
            for reward in settings.rewards:
                row[f"steps_to_{reward:g}"] = steps_to(values, reward, settings.window)
            rows.append(row)
    return pd.DataFrame(rows)


def efficiency_markdown(data: StudyData, table: pd.DataFrame) -> str:
    """Return the means over seeds; a seed that never reached a reward counts, as more than all.

    Where a seed never reached it the mean is a lower bound ("≥") that takes one step more than
    were run, and the number of seeds that did is shown.
    """
    settings, level = data.analysis.efficiency, data.analysis.statistics.level
    rows, total = [], 0
    for variant, runs in table.groupby("variant", sort=False):
        total = data.logged(variant, "reward").shape[1]
        area = (runs["area"].mean(), runs["area_low"].iloc[0], runs["area_high"].iloc[0])
        area = interval(*map(percent, area))
        row = [data.label(variant), str(len(runs)), area]
        for reward in settings.rewards:
            steps = runs[f"steps_to_{reward:g}"]
            mean, reached = steps.fillna(total + 1).mean(), int(steps.notna().sum())
            cell = f"≥ {fixed(mean, 1)} ({reached} of {len(runs)})"
            if reached in (0, len(runs)):
                cell = fixed(mean, 1) if reached else NOTHING
            row.append(cell)
        rows.append(row)
    header = ["Method", "Seeds", "Area (%)"]
    header += [f"Steps to {100 * reward:g} %" for reward in settings.rewards]
    note = (
        f"Area: mean reward over the {total} steps, with its {100 * level:g} % interval over "
        f"seeds. Steps: until the mean reward of {settings.window} steps reached the given one, "
        f"mean over seeds; a seed that never did counts as {total + 1} steps and its mean as a "
        f"lower bound; "
        f"“{NOTHING}”: no seed did.\n"
    )
    return markdown(header, rows) + "\n" + note
