"""What the runs cost: tokens and seconds a run, by phase."""

from collections import Counter

import pandas as pd

from maspo.errors import DataError
from maspo.inert import in_markdown
from maspo.layout import BASE_VARIANT
from maspo.reporting.format import NOTHING, fixed, latex, markdown
from maspo.reporting.labels import label
from maspo.reporting.results import Results
from maspo.reporting.suite import Suite

PHASES = ("sample", "verify", "old_log_probs", "update", "other")
COLUMNS = [
    *("variant", "label", "runs", "training_tokens", "training_seconds"),
    *(f"{phase}_seconds" for phase in PHASES),
    *("tokens_per_second", "evaluation_tokens", "evaluation_seconds"),
]


def cost(suite: Suite) -> pd.DataFrame:
    """Return means a run, one row a variant; a run that several studies name is counted once.

    Seconds of training are summed over the steps of ``timings.jsonl``, so they hold for a run that
    was interrupted and resumed as well. The base policy has no RL run: those cells are empty.
    """
    rows = []
    for variant, chosen in suite.runs_by_variant.items():
        base = variant == BASE_VARIANT
        runs = pd.DataFrame([_run(suite.results, *run) for run in chosen])
        row = {"variant": variant, "label": label(variant), "runs": len(runs), **runs.mean()}
        if not base:
            row["tokens_per_second"] = row["training_tokens"] / row["training_seconds"]
        rows.append(row)
    return pd.DataFrame(rows, columns=COLUMNS)


def _run(results: Results, variant: str, seed: int) -> dict[str, float]:
    manifest = results.manifest(results.layout.evaluation(variant, seed))
    row = {
        "evaluation_tokens": results.records(variant, seed).tokens,
        "evaluation_seconds": sum(manifest["time"]["seconds"].values()),
    }
    if variant == BASE_VARIANT:
        return row
    timings = results.log(variant, seed, "timings")
    try:
        row["training_tokens"] = sum(step["tokens"] for step in results.log(variant, seed))
        row["training_seconds"] = sum(step["seconds"] for step in timings)
        for phase in PHASES:
            row[f"{phase}_seconds"] = sum(step[phase] for step in timings)
    except KeyError as error:
        folder = results.layout.run(variant, seed)
        raise DataError(f"{folder}: a step of the logs has no {error}") from error
    return row


def cost_rows(table: pd.DataFrame) -> list[list[str]]:
    """Return the cells as texts: means a run, and the sum over all runs in the last row."""
    rows = []
    for row in table.itertuples():
        numbers = [
            _whole(row.training_tokens),
            *(fixed(getattr(row, f"{phase}_seconds"), 1) for phase in ("training", *PHASES)),
            _whole(row.tokens_per_second),
            _whole(row.evaluation_tokens),
            fixed(row.evaluation_seconds, 1),
        ]
        rows.append([row.label, str(row.runs), *numbers])
    total = table.drop(columns=["variant", "label", "runs", "tokens_per_second"])
    sums = total.mul(table["runs"], axis=0).sum()
    trained = sums["training_tokens"] / sums["training_seconds"]
    numbers = [
        _whole(sums["training_tokens"]),
        *(fixed(sums[f"{phase}_seconds"], 1) for phase in ("training", *PHASES)),
        _whole(trained),
        _whole(sums["evaluation_tokens"]),
        fixed(sums["evaluation_seconds"], 1),
    ]
    return [*rows, ["All runs together", str(table["runs"].sum()), *numbers]]


HEADER = [
    *("Method", "Runs", "Tokens", "Seconds"),
    *(phase.replace("old_log_probs", "old log-probs") for phase in PHASES),
    *("Tokens/s", "Evaluation tokens", "Evaluation seconds"),
]


def cost_markdown(suite: Suite, table: pd.DataFrame) -> str:
    """Return the table in Markdown, with the machines that the runs' manifests name."""
    machines: Counter[str] = Counter()
    for variant, seed in suite.runs:
        if variant != BASE_VARIANT:
            place = suite.results.manifest(suite.results.layout.run(variant, seed))["platform"]
            machines[f"{place['processor'] or place['machine']} ({place['cores']} cores)"] += 1
    note = (
        "Means a run, the last row sums over all runs. Tokens of training are those of the "
        "completions. Seconds are wall time of one job on a machine that may have run other jobs "
        "at the same time: "
    )
    places = "; ".join(f"{in_markdown(name)}, {count} runs" for name, count in machines.items())
    return markdown(HEADER, cost_rows(table)) + f"\n{note}{places}.\n"


def cost_latex(table: pd.DataFrame) -> str:
    """Return the table in LaTeX."""
    return latex(HEADER, cost_rows(table))


def _whole(value: float) -> str:
    return NOTHING if pd.isna(value) else f"{value:,.0f}"
