"""The logs of training agree with themselves, their settings and their method.

Only sums are checked here; `maspo.audit.rollouts` looks at the completions that a run kept.
"""

import math
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from itertools import pairwise
from typing import Any

from maspo.audit.finding import Finding, not_checked, note
from maspo.audit.groups import group_faults, use_faults
from maspo.audit.tree import Manifest, Tree
from maspo.config import Experiment, build_scheduled
from maspo.errors import DataError
from maspo.files import read_json, read_json_lines
from maspo.layout import BASE_VARIANT
from maspo.objectives.schedules import PREFIX, metrics_of
from maspo.training.schedule import learning_rate
from maspo.training.token_counts import PROBABILITIES, RATIOS
from maspo.verifier import Verdict

Row = dict[str, Any]
# The columns that every method logs, besides those of its own and those of the gap to a sampler.
COMMON = frozenset(
    {verdict.value for verdict in Verdict if verdict is not Verdict.CORRECT}
    | {"step", "reward", "accuracy", "uniform_groups", "completion_length", "tokens", "entropy"}
    | {"loss", "gradient_norm", "lr", "gradient_use", "ratio_use", "ratio_moves"}
)
# What bounds a column of the log, whatever was trained.
BOUNDS = (
    ({"reward", "accuracy", "gated_fraction", "zero_gradient_fraction"}, 0.0, 1.0),
    ({verdict.value for verdict in Verdict} | {"uniform_groups", "tokens"}, 0, math.inf),
    ({"entropy", "gradient_norm", "ratio_min", "sigma_mean"}, 0.0, math.inf),
    ({"approx_kl"}, -1e-6, math.inf),  # rounding
)
ROUNDING = 2.0  # seconds: started and finished are whole ones


def check_logs(tree: Tree) -> Iterator[Finding]:
    """Compare counts, means, columns and seconds of each log."""
    limit = tree.manifests["data/manifest.json"]["settings"]["max_completion_tokens"]
    for variant, seed in tree.declared:
        folder = tree.layout.run(variant, seed)
        manifest = tree.manifest(folder)
        if manifest is None:
            continue  # the check of the seeds names it
        name = tree.name(folder)
        if (engine := manifest["experiment"]["engine"]["kind"]) != "local":
            reason = f"columns of the engine {engine}, which this check does not know"
            yield not_checked("logs", name, reason, "verl's own log of this run, read by eye")
            continue
        try:
            metrics = read_json_lines(folder / "metrics.jsonl")
            timings = read_json_lines(folder / "timings.jsonl")
            for file, faults in (
                (
                    "metrics",
                    metrics_faults(
                        *(metrics, manifest, tree.experiment(manifest)),
                        *(limit, tokens_known(tree, seed)),
                    ),
                ),
                ("timings", timings_faults(timings, metrics)),
            ):
                for expected, found in faults:
                    yield Finding("logs", f"{name}/{file}.jsonl", expected, found)
                    break  # one edit of a row breaks several sums
            yield from columns(f"{name}/metrics.jsonl", variant, metrics)
        except (DataError, KeyError, ValueError) as error:
            yield Finding("logs", name, "logs of this package", f"{type(error).__name__}: {error}")
    yield from base_log(tree)
    for name, manifest in tree.manifests.items():
        yield from times(name, manifest)
    yield from order(tree)


def metrics_faults(
    rows: list[Row], manifest: Manifest, run: Experiment, limit: int, vocabulary: int | None
) -> Iterator[tuple[str, str]]:
    """Yield (expected, found) of every row whose numbers do not go together."""
    train = manifest["settings"]["train"]
    scheduled = build_scheduled(manifest["experiment"]["variant"])
    groups, size = train["prompts_per_batch"], train["group_size"]
    count = groups * size
    most = math.log(vocabulary) if vocabulary else math.inf
    for before, row in zip([None, *rows], rows, strict=False):
        step = f"at step {row['step']}"
        yield from ((f"{expected} {step}", found) for expected, found in impossible(row))
        for name, value in scheduled.at(row["step"], train["steps"], before)[1].items():
            if row.get(name) != value:
                yield f"{name} {value} {step}, by its schedule", str(row.get(name))
        if row["entropy"] > most + 1e-4:
            yield f"entropy of at most {most}, a uniform policy's, {step}", str(row["entropy"])
        if row["lr"] != (rate := learning_rate(run.train, row["step"])):
            yield f"lr {rate} {step}, by its schedule", str(row["lr"])
        if ("ratio_moves" in row) != (row["step"] in train["snapshots"]):
            yield f"ratio_moves {step} if it is one of train.snapshots, and else none", "not so"
        wrong = sum(row[verdict.value] for verdict in Verdict if verdict is not Verdict.CORRECT)
        if not math.isclose(row["accuracy"], (count - wrong) / count, abs_tol=1e-6):
            yield (
                f"accuracy {(count - wrong) / count} {step}, by its verdicts",
                str(row["accuracy"]),
            )
        errs = train.get("false_negatives", 0) or train.get("false_positives", 0)
        exact = train["reward"] == "verifier" and not errs  # else the check of rollouts draws again
        if exact and row["reward"] != row["accuracy"]:
            yield f"reward {row['accuracy']}, the accuracy, {step}", str(row["reward"])
        if train["reward"] == "steps" and row["reward"] < row["accuracy"] - 1e-6:
            yield f"reward of at least the accuracy {row['accuracy']} {step}", str(row["reward"])
        yield from (
            (f"{expected} {step}", found)
            for expected, found in group_faults(
                row, groups, size, limit, train["reward"] == "steps"
            )
        )
        if not math.isclose(row["completion_length"], row["tokens"] / count):
            wanted = f"completion_length {row['tokens'] / count} {step}, by its tokens"
            yield wanted, str(row["completion_length"])
        if not count <= row["tokens"] <= count * limit:
            yield f"1 to {limit} tokens in each of {count} completions {step}", str(row["tokens"])


def tokens_known(tree: Tree, seed: int) -> int | None:
    """Return the size of the vocabulary of a run's policies, if the base policy tells it."""
    path = tree.base(seed) / "policy" / "config.json"
    return read_json(path).get("vocab_size") if path.is_file() else None


def impossible(row: Row) -> Iterator[tuple[str, str]]:
    """Yield (expected, found) of numbers that no training can give."""
    if odd := [name for name, value in row.items() if not all(map(math.isfinite, flat(value)))]:
        yield "finite numbers", f"others in {odd}"
        return
    for names, low, high in BOUNDS:
        for name in names & row.keys():
            if not low <= row[name] <= high:
                yield f"{name} in [{low}, {high}]", str(row[name])
    if not row["ratio_min"] <= row["ratio_mean"] <= row["ratio_max"]:
        yield "ratio_min, ratio_mean and ratio_max in this order", str(row["ratio_mean"])
    if row["zero_gradient_fraction"] > row["gated_fraction"]:
        yield "no more tokens without a gradient than gated ones", str(row["gated_fraction"])
    totals = {}
    for name, edges in (("gradient_use", PROBABILITIES), ("ratio_use", RATIOS)):
        use = row[name]
        shapes = [len(use[part]) for part in ("tokens", "nonzero", "weight")]
        if tuple(use["edges"]) != edges or set(shapes) != {len(edges) - 1}:
            yield f"{name} in the bins of this package", str(use["edges"])
            return
        bins = zip(use["nonzero"], use["tokens"], strict=True)
        if not all(0 <= part <= whole for part, whole in bins):
            yield f"counts of {name} of which no part is larger than the whole", str(use["nonzero"])
        totals[name] = sum(use["tokens"])
    yield from use_faults(row)
    if moved := row.get("ratio_moves"):
        totals["ratio_moves"] = sum(flat(moved))
    if len(set(totals.values())) > 1 or max(totals.values()) > row["tokens"]:
        yield f"equal totals, of at most {row['tokens']} tokens", str(totals)


def flat(value: Any) -> Iterator[float]:
    """Yield every number of nested lists and objects."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from flat(part)
    else:
        yield value


def timings_faults(rows: list[Row], metrics: list[Row]) -> Iterator[tuple[str, str]]:
    """Yield (expected, found) of every row whose seconds are not the sum of its phases."""
    steps = [row["step"] for row in metrics]
    if [row["step"] for row in rows] != steps:
        yield f"the {len(steps)} steps of metrics.jsonl", f"{len(rows)} rows"
        return
    for row, logged in zip(rows, metrics, strict=True):
        whole = {"step", "seconds", "tokens_per_second"}
        if (least := min(flat(row))) < 0:
            yield f"no negative seconds at step {row['step']}", str(least)
        phases = sum(value for name, value in row.items() if name not in whole)
        if not math.isclose(row["seconds"], phases, rel_tol=1e-6):
            yield f"{phases} seconds at step {row['step']}, by phase", str(row["seconds"])
        speed = logged["tokens"] / row["seconds"]
        if not math.isclose(row["tokens_per_second"], speed, rel_tol=1e-6):
            yield f"{speed} tokens a second at step {row['step']}", str(row["tokens_per_second"])


@cache
def logged_by(variant: str) -> frozenset[str]:
    """Return the metrics that the objective of a variant logs, and its settings that change."""
    scheduled = build_scheduled(variant)
    return metrics_of(scheduled.first) | {PREFIX + name for name in scheduled.schedules}


def columns(name: str, variant: str, rows: list[Row]) -> Iterator[Finding]:
    """A log has the columns of its own method, those of all methods, and none else."""
    own = logged_by(variant)
    found = {column for row in rows for column in row}
    others = sorted(found - own - COMMON)
    strange = [column for column in others if not column.startswith("sampler_")]
    if missing := sorted(own - found):
        yield Finding("logs", name, f"columns of {variant}, as {missing}", "none")
    if strange:
        yield Finding("logs", name, f"columns of {variant} alone", f"{strange} as well")


def base_log(tree: Tree) -> Iterator[Finding]:
    """The learning curves of base policies that were trained here have every row."""
    for folder in dict.fromkeys(tree.base(seed) for _, seed in tree.declared):
        manifest = tree.manifest(folder)
        if manifest is None or not (model := manifest["settings"].get("supervised")):
            continue  # the check of the chain names a manifest that is not there
        steps, every = model["steps"], model["log_every"]
        wanted = [step for step in range(1, steps + 1) if step % every == 0 or step == steps]
        for file in ("metrics", "timings"):
            path = folder / f"{file}.jsonl"
            rows = read_json_lines(path)
            found = [row["step"] for row in rows]
            numbers = [number for row in rows for number in flat(row)]
            if not all(math.isfinite(number) and number >= 0 for number in numbers):
                yield Finding("logs", tree.name(path), "finite numbers of at least 0", "others")
            elif any(row.get("lr", 0) > model["lr"] for row in rows):
                yield Finding("logs", tree.name(path), f"rates of at most {model['lr']}", "higher")
            elif found != wanted:
                text = f"{len(wanted)} rows to step {steps}"
                yield Finding("logs", tree.name(path), text, f"{len(found)} to {found[-1:]}")


def times(name: str, manifest: Manifest) -> Iterator[Finding]:
    """A step takes at least the seconds of its parts."""
    started, finished = span(manifest)
    passed, parts = finished - started, sum(manifest["time"]["seconds"].values())
    if passed + ROUNDING < parts:
        yield Finding("logs", name, f"{parts} seconds or more from start to end", str(passed))


def span(manifest: Manifest) -> tuple[float, float]:
    """Return start and end of a step, in seconds since 1970."""
    time = manifest["time"]
    return tuple(datetime.fromisoformat(time[end]).timestamp() for end in ("started", "finished"))


def order(tree: Tree) -> Iterator[Finding]:
    """A policy was trained before it was evaluated, and its steps took no longer than its job.

    Notes: a step that was run again, or a run that was killed and went on, looks so too.
    """
    for variant, seed in tree.evaluated:
        evaluation = tree.layout.evaluation(variant, seed)
        base, run = tree.base(seed), tree.layout.run(variant, seed)
        folders = [base, evaluation] if variant == BASE_VARIANT else [base, run, evaluation]
        steps = [(tree.name(f), m) for f in folders if (m := tree.manifest(f))]
        for (before, earlier), (name, later) in pairwise(steps):
            if span(later)[0] + ROUNDING < span(earlier)[1]:
                wanted = f"a start behind the end of {before}, unless that was run again"
                yield note("logs", f"{name}/manifest.json", wanted, later["time"]["started"])
    for variant, seed in tree.declared:
        folder = tree.layout.run(variant, seed)
        if (manifest := tree.manifest(folder)) is None:
            continue
        path = folder / "timings.jsonl"
        try:
            spent = sum(row["seconds"] for row in read_json_lines(path))
        except (DataError, KeyError):
            continue  # named above
        started, finished = span(manifest)
        if spent > finished - started + ROUNDING:
            wanted = f"at most the {finished - started} s of the job, unless a killed run went on"
            yield note("logs", tree.name(path), wanted, f"{spent:.1f} s of steps")
