"""Facts that training gained and lost, one by one: what is behind exploration and diversity."""

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maspo.errors import DataError
from maspo.evaluation.attempts import count_attempts
from maspo.evaluation.records import read_records
from maspo.layout import BASE_VARIANT
from maspo.reporting.results import Results
from maspo.reporting.seeds import cells, columns, over_seeds
from maspo.reporting.study_data import StudyData
from maspo.tasks import read_problems

# By the base's accuracy on the fact: name, from, to (not included).
BINS = (
    ("never right", -1.0, 1e-12),
    ("below 10 %", 1e-12, 0.1),
    ("10 to 50 %", 0.1, 0.5),
    ("50 to 90 %", 0.5, 0.9),
    ("90 % and above", 0.9, 2.0),
)
ATTEMPTED, UNTRIED = "attempted", "no attempt"  # all of these bins together; none of them
COUNTS = ("facts", "gained", "lost", "found", "vanished", "unmet")
ACCURACIES = ("base_accuracy", "trained_accuracy")
FACTS = ["variant", "label", "held_out", "base_bin", "seeds", *columns(*COUNTS, *ACCURACIES)]


def facts(data: StudyData) -> pd.DataFrame:
    """Return what became of the facts that a base policy knew so well, over all benchmarks.

    A row is a variant, held out of RL or not (1, 0), and a bin of the base's own accuracy on the
    fact, seed by seed; ``attempted`` is all bins, ``no attempt`` the facts that the base's
    completions never came to. Means over seeds, with intervals, of

    - `facts`: how many there are;
    - `base_accuracy`, `trained_accuracy`: the mean over those that both attempted;
    - `gained`: below one half for the base, from one half on when trained; `lost`: the reverse;
    - `found`: never right for the base, at least once when trained; `vanished`: the reverse;
    - `unmet`: never attempted when trained; such a fact is in none of the four counts above.

    A fact is placed by the very attempts that are compared, so some near a limit cross it by
    chance. No rows for tasks without facts.

    Raises:
        DataError: records of a problem that is in no benchmark.
    """
    rows = []
    if not data.results.facts_file.is_file():
        return pd.DataFrame(columns=FACTS)
    bases = data.study.runs_of(BASE_VARIANT)
    for variant in data.study.variants:
        runs = data.study.runs_of(variant)
        starts = bases if len(bases) == len(runs) else bases * len(runs)  # a published one is alone
        tables = [
            _fates(data.results, base, run) for base, run in zip(starts, runs, strict=True)
        ]  # one a seed
        for held_out in (0, 1):
            for name in (UNTRIED, *(name for name, _, _ in BINS), ATTEMPTED):
                row = {"variant": variant, "label": data.label(variant), "held_out": held_out}
                row |= {"base_bin": name, "seeds": len(runs)}
                seeds = pd.DataFrame([_summary(table, held_out, name) for table in tables])
                for column in (*COUNTS, *ACCURACIES):
                    most = 1 if column in ACCURACIES else np.inf
                    row |= cells(column, over_seeds(seeds[column], data.level, 0, most))
                rows.append(row)
    return pd.DataFrame(rows, columns=FACTS)


def _fates(results: Results, base: tuple[str, int], run: tuple[str, int]) -> pd.DataFrame:
    """Return what became of each fact in one run: base, trained, bin and what `COUNTS` counts."""
    known = results.once(_facts, results.facts_file)
    counts = [results.once(_counts, results, *one) for one in (base, run)]
    before, after = (_accuracy(count) for count in counts)
    had, has = (count["right"].to_numpy() > 0 for count in counts)
    compared = ~np.isnan(before) & ~np.isnan(after)
    names = np.full(len(known), UNTRIED, dtype=object)
    for name, low, high in BINS:
        names[(before >= low) & (before < high)] = name
    return pd.DataFrame(
        {
            "held_out": known["held_out"].to_numpy(),
            "base_bin": names,
            "facts": True,
            "gained": compared & (before < 0.5) & (after >= 0.5),
            "lost": compared & (before >= 0.5) & (after < 0.5),
            "found": compared & ~had & has,
            "vanished": compared & had & ~has,
            "unmet": np.isnan(after),
            "base_accuracy": np.where(np.isnan(after), np.nan, before),
            "trained_accuracy": after,
        }
    )


def _summary(table: pd.DataFrame, held_out: int, name: str) -> dict[str, float]:
    """Return the counts and mean accuracies of one class of the facts of one run."""
    bins = table["base_bin"].to_numpy()
    chosen = (bins == name) if name != ATTEMPTED else (bins != UNTRIED)
    chosen &= table["held_out"].to_numpy() == held_out
    counts = {column: int(table[column].to_numpy()[chosen].sum()) for column in COUNTS}
    shares = {column: table[column].to_numpy()[chosen] for column in ACCURACIES}
    return counts | {
        column: np.nanmean(values) if not np.isnan(values).all() else np.nan
        for column, values in shares.items()
    }


def _accuracy(counts: pd.DataFrame) -> NDArray[np.float64]:
    """Return the accuracy on each fact; NaN without an attempt."""
    attempts, right = (counts[name].to_numpy(dtype=float) for name in ("attempts", "right"))
    return np.divide(right, attempts, out=np.full_like(right, np.nan), where=attempts > 0)


def _facts(file: Path) -> pd.DataFrame:
    """Return ``facts.csv``: fact, result (each a text) and held_out."""
    try:
        return pd.read_csv(file, dtype={"fact": str, "result": str, "held_out": int})
    except ValueError as error:
        raise DataError(f"{file} is no table of facts: {error}") from error


def _counts(results: Results, variant: str, seed: int) -> pd.DataFrame:
    known = results.once(_facts, results.facts_file)
    records = results.records_file(variant, seed)
    questions = {
        problem.id: problem.messages[0]["content"]
        for file in results.benchmark_files
        for problem in read_problems(file)
    }
    try:
        return count_attempts(
            read_records(records), questions, dict(zip(known["fact"], known["result"], strict=True))
        )
    except DataError as error:
        raise DataError(f"{records}: {error}") from error
