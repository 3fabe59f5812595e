"""verl's log as this project's training log."""

from pathlib import Path
from typing import Any

from maspo.errors import DataError
from maspo.files import read_json_lines

# Our name: verl's name.
METRICS = {
    "reward": "critic/score/mean",
    "completion_length": "response_length/mean",
    "entropy": "actor/entropy",
    "loss": "actor/pg_loss",
    "gradient_norm": "actor/grad_norm",
}
SECONDS = {
    "sample": "timing_s/gen",
    "verify": "timing_s/reward",
    "old_log_probs": "timing_s/old_log_prob",
    "update": "timing_s/update_actor",
    "seconds": "timing_s/step",
}
OBJECTIVES = "actor/"
VERLS_OWN = ("actor/lr", "actor/pg_", "actor/ppo_kl", "actor/entropy", "actor/loss", "actor/grad")
VERLS_OWN += ("actor/perf",)


def read_logs(folder: Path, steps: int) -> list[dict[str, Any]]:
    """Return verl's metrics of steps 1 to `steps`, over all attempts of a run.

    A step that was trained again after a kill counts as it was trained last.

    Raises:
        DataError: a step is missing.
    """
    rows: dict[int, dict[str, Any]] = {}
    for path in sorted(folder.glob("*.jsonl")):
        for row in read_json_lines(path):
            rows[int(row["step"])] = row["data"]
    missing = [step for step in range(1, steps + 1) if step not in rows]
    if missing:
        raise DataError(f"verl's logs in {folder} lack the steps {missing[:5]} of {steps}")
    return [{"step": step, **rows[step]} for step in range(1, steps + 1)]


def metrics_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return one step of verl's log under the names of `metrics.jsonl`.

    The objective's own metrics keep their names; what verl does not log is left out.
    """
    named = {ours: row[theirs] for ours, theirs in METRICS.items() if theirs in row}
    objective = {
        name.removeprefix(OBJECTIVES): value
        for name, value in row.items()
        if name.startswith(OBJECTIVES) and not name.startswith(VERLS_OWN)
    }
    return {"step": row["step"], **named, **_tokens(row), **objective}


def _tokens(row: dict[str, Any]) -> dict[str, int]:
    """Return the tokens of all completions: verl logs those of prompts and completions together."""
    names = ("perf/total_num_tokens", "prompt_length/mean", "response_length/mean")
    if not all(name in row for name in names):
        return {}
    total, prompt, completion = (row[name] for name in names)
    return {"tokens": round(total * completion / (prompt + completion))}


def timings_row(row: dict[str, Any]) -> dict[str, Any]:
    """Return one step of verl's log under the names of `timings.jsonl`, seconds."""
    named = {ours: row[theirs] for ours, theirs in SECONDS.items() if theirs in row}
    return {"step": row["step"], **named}
