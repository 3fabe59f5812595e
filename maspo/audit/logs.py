"""The logs of training agree with themselves, their settings and their method.

What a run drew is not kept, so its rewards cannot be graded again: only sums are checked here.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any

import torch

from maspo.audit.finding import Finding
from maspo.audit.tree import Manifest, Tree
from maspo.config import build_objective, options
from maspo.errors import DataError
from maspo.files import read_json_lines
from maspo.objectives import PolicyBatch
from maspo.verifier import Verdict

Row = dict[str, Any]
ROUNDING = 2.0  # seconds: started and finished are whole ones


def check_logs(tree: Tree) -> Iterator[Finding]:
    """Compare counts, means, columns and seconds of each log."""
    limit = tree.manifests["data/manifest.json"]["settings"]["max_completion_tokens"]
    for variant, seed in tree.declared:
        folder = tree.layout.run(variant, seed)
        manifest = tree.manifest(folder)
        if manifest is None or manifest["experiment"]["engine"]["kind"] != "local":
            continue  # another engine has columns of its own
        name = tree.name(folder)
        try:
            metrics = read_json_lines(folder / "metrics.jsonl")
            timings = read_json_lines(folder / "timings.jsonl")
            for file, faults in (
                ("metrics", metrics_faults(metrics, manifest["settings"]["train"], limit)),
                ("timings", timings_faults(timings, metrics)),
            ):
                for expected, found in faults:
                    yield Finding("logs", f"{name}/{file}.jsonl", expected, found)
                    break  # one edit of a row breaks several sums
            yield from columns(f"{name}/metrics.jsonl", variant, metrics)
        except (DataError, KeyError) as error:
            yield Finding("logs", name, "logs of this package", f"{type(error).__name__}: {error}")
    yield from base_log(tree)
    for name, manifest in tree.manifests.items():
        yield from times(name, manifest)


def metrics_faults(rows: list[Row], train: Row, limit: int) -> Iterator[tuple[str, str]]:
    """Yield (expected, found) of every row whose numbers do not go together."""
    count = train["prompts_per_batch"] * train["group_size"]
    for row in rows:
        step = f"at step {row['step']}"
        wrong = sum(row[verdict.value] for verdict in Verdict if verdict is not Verdict.CORRECT)
        if not math.isclose(row["accuracy"], (count - wrong) / count, abs_tol=1e-6):
            yield (
                f"accuracy {(count - wrong) / count} {step}, by its verdicts",
                str(row["accuracy"]),
            )
        if train["reward"] == "verifier" and row["reward"] != row["accuracy"]:
            yield f"reward {row['accuracy']}, the accuracy, {step}", str(row["reward"])
        if not 0 <= row["uniform_groups"] <= train["prompts_per_batch"]:
            yield f"at most {train['prompts_per_batch']} uniform groups {step}", str(row)
        if not math.isclose(row["completion_length"], row["tokens"] / count):
            wanted = f"completion_length {row['tokens'] / count} {step}, by its tokens"
            yield wanted, str(row["completion_length"])
        if not count <= row["tokens"] <= count * limit:
            yield f"1 to {limit} tokens in each of {count} completions {step}", str(row["tokens"])


def timings_faults(rows: list[Row], metrics: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield (expected, found) of every row whose seconds are not the sum of its phases."""
    steps = [row["step"] for row in metrics]
    if [row["step"] for row in rows] != steps:
        yield f"the {len(steps)} steps of metrics.jsonl", f"{len(rows)} rows"
        return
    for row, logged in zip(rows, metrics, strict=True):
        whole = {"step", "seconds", "tokens_per_second"}
        phases = sum(value for name, value in row.items() if name not in whole)
        if not math.isclose(row["seconds"], phases, rel_tol=1e-6):
            yield f"{phases} seconds at step {row['step']}, by phase", str(row["seconds"])
        speed = logged["tokens"] / row["seconds"]
        if not math.isclose(row["tokens_per_second"], speed, rel_tol=1e-6):
            yield f"{speed} tokens a second at step {row['step']}", str(row["tokens_per_second"])


@cache
def logged_by(variant: str) -> frozenset[str]:
    """Return the metrics that the objective of a variant logs."""
    one = torch.ones(1, 2)
    batch = PolicyBatch(
        log_prob=-one, old_log_prob=-one, advantages=one, mask=one.bool(), entropy=one
    )
    return frozenset(build_objective(variant)(batch).metrics)


def columns(name: str, variant: str, rows: list[Row]) -> Iterator[Finding]:
    """A log has the columns of its own method and none that only others have."""
    own = logged_by(variant)
    foreign = frozenset().union(*map(logged_by, options("objective"))) - own
    found = set(rows[0]) if rows else set()
    if missing := sorted(own - found):
        yield Finding("logs", name, f"columns of {variant}, as {missing}", "none")
    if strange := sorted(foreign & found):
        yield Finding("logs", name, f"columns of {variant} alone", f"{strange}, of other methods")


def base_log(tree: Tree) -> Iterator[Finding]:
    """The learning curves of base policies that were trained here have every row."""
    for folder in dict.fromkeys(tree.base(seed) for _, seed in tree.declared):
        if (manifest := tree.manifest(folder)) is None or manifest["settings"]["kind"] != "built":
            continue  # the check of the chain names a manifest that is not there
        model = manifest["settings"]["supervised"]
        steps, every = model["steps"], model["log_every"]
        wanted = [step for step in range(1, steps + 1) if step % every == 0 or step == steps]
        for file in ("metrics", "timings"):
            path = folder / f"{file}.jsonl"
            found = [row["step"] for row in read_json_lines(path)]
            if found != wanted:
                text = f"{len(wanted)} rows to step {steps}"
                yield Finding("logs", tree.name(path), text, f"{len(found)} to {found[-1:]}")


def times(name: str, manifest: Manifest) -> Iterator[Finding]:
    """A step takes at least the seconds of its parts."""
    time = manifest["time"]
    started, finished = map(datetime.fromisoformat, (time["started"], time["finished"]))
    passed, parts = (finished - started).total_seconds(), sum(time["seconds"].values())
    if passed + ROUNDING < parts:
        yield Finding("logs", name, f"{parts} seconds or more from start to end", str(passed))
