"""What a search leaves for people: every trial as CSV, the best as objectives, a table."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from maspo.files import atomic, write_text
from maspo.reporting.format import NOTHING, markdown, percent
from maspo.reporting.labels import label
from maspo.search.halving import Outcome
from maspo.search.settings import Search
from maspo.search.space import Space, fields_of

Outcomes = Mapping[str, Sequence[Outcome]]  # by family


def best(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the best of the trials that came to the end; the earlier of equals."""
    return max((o for o in outcomes if o.complete), key=lambda outcome: outcome.value)


def trials_table(outcomes: Outcomes, search: Search) -> pd.DataFrame:
    """Return one row a trial: its state, steps, seeds, accuracy at each rung, and settings."""
    rows = [
        {
            "family": outcome.family,
            "trial": outcome.trial,
            "state": "complete" if outcome.complete else "stopped",
            "steps": outcome.steps,  # of each seed
            "seeds": " ".join(map(str, search.numbers)),
            **{f"accuracy_{rung}": outcome.accuracy.get(rung) for rung in search.rungs},
            **outcome.chosen,
        }
        for of_family in outcomes.values()
        for outcome in of_family
    ]
    return pd.DataFrame(rows)


def objective_text(outcome: Outcome, space: Space) -> str:
    """Return a trial's settings as a file of `configs/objective/`, on top of its family's own."""
    found = f"trial {outcome.trial} of its search, accuracy {percent(outcome.value)} % in training"
    source = f"# assumed: {found} (docs/search.md)"
    lines = ["defaults: # structure", f"  - {outcome.family} # structure", "  - _self_ # structure"]
    for name, value in outcome.chosen.items():
        text = str(value).lower() if isinstance(value, bool) else str(value)
        lines += [f"{field}: {text} {source}" for field in fields_of(name, space[name])]
    return "\n".join(lines) + "\n"


def settings_text(outcome: Outcome) -> str:
    """Return a trial's settings in one line."""
    return " ".join(f"{name}={value}" for name, value in outcome.chosen.items())


def steps_trained(outcomes: Sequence[Outcome], search: Search) -> int:
    """Return the RL steps of all runs of some trials."""
    return search.seeds * sum(outcome.steps for outcome in outcomes)


def summary(outcomes: Outcomes, search: Search) -> str:
    """Return the table of the families in Markdown, with how their numbers came about."""
    rows = []
    for family, trials in outcomes.items():
        own, winner = trials[0], best(trials)
        rows.append(
            [
                label(family),
                settings_text(winner),
                str(len(trials)),
                str(sum(trial.complete for trial in trials)),
                f"{steps_trained(trials, search):,}",
                percent(own.value) if own.complete else NOTHING,
                percent(winner.value),
            ]
        )
    header = ["Family", "Best settings", "Trials", "To the end", "RL steps"]
    header += ["Own settings", "Best"]
    seeds = ", ".join(map(str, search.numbers))
    return markdown(header, rows, left=2) + (
        "\nAccuracy in percent on training problems that a run had not come to before, mean of "
        f"the last {search.window} steps and of the base policies of the seeds {seeds}. "
        f"No benchmark is looked at. Halving at {search.rungs[:-1]} of {search.rungs[-1]} steps. "
        "The best of many trials is overrated: their comparison on fresh seeds is another study.\n"
    )


def write_trials(folder: Path, outcomes: Outcomes, search: Search) -> Path:
    """Write the table of all trials."""
    with atomic(folder / "trials.csv") as temporary:
        trials_table(outcomes, search).to_csv(temporary, index=False)
    return folder / "trials.csv"


def write_best(folder: Path, outcomes: Outcomes, search: Search) -> list[Path]:
    """Write the table of the families, and the best of each as an objective."""
    write_text(folder / "search.md", summary(outcomes, search))
    files = [folder / "search.md"]
    for family, trials in outcomes.items():
        files.append(folder / "best" / f"{family}_searched.yaml")
        write_text(files[-1], objective_text(best(trials), search.families[family]))
    return files
