"""The best learning rate of each method, from the runs of the study `learning_rate`.

A method's score at a rate is the mean reward of the last steps, on rows of training problems that
the run has not come to before (as long as it is shorter than an epoch; short problems stand in
several rows). No benchmark is looked at.
"""

import numpy as np
import pandas as pd

from maspo.config import split_variant
from maspo.inert import in_markdown
from maspo.reporting.efficiency import running_mean
from maspo.reporting.format import Markup, interval, markdown, percent
from maspo.reporting.labels import label, number
from maspo.reporting.study_data import StudyData
from maspo.reporting.suite import Suite
from maspo.statistics import seed_mean

GRID, CHOSEN = "learning_rate", "tuned"  # the study that chooses, and the one that compares
WINDOW = 10  # steps; as many as the definition of collapse looks at
COLUMNS = ["objective", "label", "lr", "seeds", "reward", "reward_low", "reward_high"]
COLUMNS += ["best", "taken"]


def tuning(suite: Suite) -> pd.DataFrame:
    """Return one row a method and rate: its score with the interval over seeds, best, taken.

    `best`: no rate of the method has a higher score. `taken`: the study `tuned` trains it at this
    rate; empty where the suite has no such study. No rows without the study `learning_rate`.
    """
    if (grid := suite.study([GRID])) is None:
        return pd.DataFrame(columns=COLUMNS)
    chosen = suite.study([CHOSEN])
    variants = () if chosen is None else chosen.study.variants
    rates = {split_variant(variant)[0]: rate(chosen, variant) for variant in variants}
    rows = []
    for variant in grid.study.variants:
        objective, _ = split_variant(variant)
        rewards = grid.logged(variant, "reward")
        finals = np.array([running_mean(run, WINDOW)[-1] for run in rewards])
        lr = rate(grid, variant)
        row = {"objective": objective, "label": label(objective), "lr": lr, "seeds": len(finals)}
        bounds = np.clip(seed_mean(finals, grid.analysis.statistics.level), 0, 1)  # a share
        names = ("reward", "reward_low", "reward_high")
        row |= zip(names, map(float, bounds), strict=True)
        row["taken"] = rates[objective] == lr if objective in rates else None
        rows.append(row)
    table = pd.DataFrame(rows)
    table["best"] = table["reward"] == table.groupby("objective")["reward"].transform("max")
    return table[COLUMNS]


def rate(data: StudyData, variant: str) -> float:
    """Return the learning rate of a variant, from what its first run was trained with."""
    folder = data.results.layout.run(*data.study.runs_of(variant)[0])
    return float(data.results.manifest(folder)["settings"]["train"]["lr"])


def tuning_markdown(suite: Suite, table: pd.DataFrame) -> str:
    """Return the table in Markdown, a row a method and a column a rate, the best bold."""
    if table.empty:
        return f"This suite has no study {GRID}.\n"
    rates = sorted(table["lr"].unique())
    rows = []
    for name, cells in table.groupby("label", sort=False):
        row = [name]
        for _, cell in cells.set_index("lr").loc[rates].iterrows():
            bounds = (cell["reward"], cell["reward_low"], cell["reward_high"])
            text = interval(*map(percent, bounds))
            row.append(Markup(f"**{text}**") if cell["best"] else text)
        rows.append(row)
    note = (
        f"Reward of the last {WINDOW} steps in percent (rows of training problems that the run had "
        "not come to before), mean over seeds with interval. Bold: the best rate of a method. "
    )
    if table["taken"].notna().any():
        best = table[table["best"] & table["taken"].notna()]
        wrong = best[best["taken"] == False]["label"]  # noqa: E712
        agrees = "trains each method at its best rate"
        if len(wrong):
            names = in_markdown(", ".join(wrong))
            agrees = f"trains {names} at another rate than the best of these runs"
        seeds = [{seed for _, seed in suite.study([name]).study.runs} for name in (GRID, CHOSEN)]
        shared = seeds[0] & seeds[1]
        which = (
            f"with seeds of which {sorted(shared)} chose the rates"
            if shared
            else "with other seeds"
        )
        note += f"The study {CHOSEN} {agrees}, {which}.\n"
    header = ["Method", *(f"lr {number(str(rate))}" for rate in rates)]
    return markdown(header, rows) + "\n" + note.rstrip() + "\n"
