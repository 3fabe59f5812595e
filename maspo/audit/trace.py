"""Where a number comes from: a cell, a claim or a file, back to configuration and seed."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pandas as pd

from maspo.audit.metrics import METRICS, count, recompute
from maspo.audit.tree import Manifest, Tree
from maspo.errors import ConfigError
from maspo.evaluation.records import read_records
from maspo.files import read_json, sha256
from maspo.layout import BASE_VARIANT

AT = re.compile(r"(pass|best)_at_(\d+)")
SHOWN = 20  # lines of a completion
TABLELESS = "figures/trust_regions.py"
USAGE = (
    "write suite/study/variant/benchmark/metric, as in default/main/maspo/average/avg_at_k or "
    ".../pass_at_8; suite/claims/id, as in default/claims/above_grpo; or a file of the results, as "
    "in default/figures/main/avg_at_k.png"
)


def trace(tree: Tree, place: str) -> Iterator[str]:
    """Yield the chain behind a cell, a claim or a file of the results, a line a link.

    Raises:
        ConfigError: there is nothing of that name; the message says what there is.
    """
    parts = place.split("/")
    if (tree.root / place).is_file():
        yield from behind_file(tree, place)
    elif len(parts) == 3 and parts[1] == "claims":
        yield from behind_claim(tree, *parts)
    elif len(parts) == 5:
        yield from behind_cell(tree, place)
    else:
        raise ConfigError(f"--only {place}: {USAGE}")


def behind_cell(tree: Tree, cell: str) -> Iterator[str]:
    """Yield the runs behind a cell of a table, with its value computed again from their records."""
    suite, study, variant, benchmark, metric = cell.split("/")
    if (found := tree.studies.get((suite, study))) is None:
        known = ["/".join(key) for key in tree.studies]
        raise ConfigError(f"--only {cell}: no study {suite}/{study}, there are {known}")
    runs = [run for run in found.policies if run[0] == variant]
    at = AT.fullmatch(metric)
    column, k = (f"{at[1]}_at_k", int(at[2])) if at else (metric, None)
    if not runs or column not in METRICS:
        raise ConfigError(
            f"--only {cell}: the variants are {[BASE_VARIANT, *found.variants]}, "
            f"the metrics {list(METRICS)}, or pass_at_8 and best_at_8"
        )
    values, drawn = [], []
    for name, seed in runs:
        records = read_records(tree.records_file(name, seed))
        samples = int(records["sample"].max()) + 1
        if k is not None and not 1 <= k <= samples:
            raise ConfigError(f"--only {cell}: there are {samples} samples a problem, not {k}")
        metrics = recompute(count(records), k)
        if benchmark not in metrics.index:
            raise ConfigError(f"--only {cell}: the benchmarks are {list(metrics.index)}")
        values.append(float(metrics.loc[benchmark, column]))
        whole = benchmark == "average"
        drawn.append(records if whole else records[records["benchmark"] == benchmark])
        yield f"seed {seed}: {metric} = {values[-1]!r}"
        yield from links(tree, name, seed)
    yield f"{cell}: mean over {len(values)} seeds = {sum(values) / len(values)!r}"
    file = f"{study}.csv" if k is None else f"{study}_at_k.csv"
    yield f"in {tree.name(tree.layout.tables(suite) / file)}"
    yield problems(tree)
    for (name, seed), records in zip(runs, drawn, strict=True):
        yield from completions(tree, name, seed, records)


def behind_claim(tree: Tree, suite: str, _: str, identifier: str) -> Iterator[str]:
    """Yield verdict, effects and reasoning of a claim, and the runs of the studies it is about."""
    path = tree.layout.suite(suite) / "claims.json"
    claims = {claim["id"]: claim for claim in read_json(path)["claims"]}
    if (claim := claims.get(identifier)) is None:
        raise ConfigError(f"--only {suite}/claims/{identifier}: the claims are {sorted(claims)}")
    yield f"{claim['statement']}: {claim['verdict']} ({claim['source']})"
    studies = {}
    for part in claim["parts"]:
        effect = f"{part['effect']!r} [{part['low']!r}, {part['high']!r}] {part['unit'] or ''}"
        what = f"{part['statistic']} {json.dumps(part['arguments'])}"
        yield f"{what} of study {part['study']}: {effect}"
        yield f"  {part['verdict']}: {part['reasoning']}"
        if study := tree.studies.get((suite, part["study"])):
            studies[study.name] = study
    yield from step(tree, f"{suite}/claims_manifest.json")
    for run in dict.fromkeys(run for study in studies.values() for run in study.policies):
        yield f"{run[0]} seed {run[1]}"
        yield from links(tree, *run)
        yield view(tree, *run)
    yield problems(tree)


def behind_file(tree: Tree, file: str) -> Iterator[str]:
    """Yield the steps behind a file, the newest first: each with its inputs and settings."""
    suite, kind, *rest = (*file.split("/"), "")
    queue = [file]
    if kind == "figures":
        script = f"figures/{rest[-2].rpartition('.')[0]}.py"
        if script == TABLELESS:
            yield f"{file}: drawn by {script} from the objectives alone"
            return
        yield f"{file}: drawn by {script} from the tables of {suite}"
        study = f"{suite}/tables/{rest[0]}_manifest.json"
        queue = [study if study in tree.manifests else f"{suite}/claims_manifest.json"]
    elif kind == "pages":
        table = rest[0].rpartition(".")[0] + ".md"
        queue = [
            name for name in (f"{suite}/{table}", f"{suite}/tables/{table}") if owner(tree, name)
        ]
    seen = set()
    while queue:
        manifest = owner(tree, queue.pop(0))
        if manifest and manifest not in seen:
            seen.add(manifest)
            yield from step(tree, manifest)
            queue += tree.manifests[manifest]["inputs"]
    if not seen:
        raise ConfigError(f"--only {file}: no manifest tells of this file")


def owner(tree: Tree, name: str) -> str | None:
    """Return the manifest that is a file, or that names it or a folder around it as an output."""
    if name in tree.manifests:
        return name
    made = (
        m
        for m, content in tree.manifests.items()
        if any(_covers(o, name) for o in content["outputs"])
    )
    return next(made, None)


def _covers(output: str, name: str) -> bool:
    return name == output or name.startswith(f"{output}/")


def problems(tree: Tree) -> str:
    """Return where the problems come from."""
    data = tree.manifests["data/manifest.json"]
    return f"problems: {data['outputs']}, seeds {data['seeds']}, settings {data['settings']}"


def links(tree: Tree, variant: str, seed: int) -> Iterator[str]:
    """Yield the files and steps behind the records of one policy, the newest first."""
    steps = [tree.layout.evaluation(variant, seed)]
    if variant != BASE_VARIANT:
        steps.append(tree.layout.run(variant, seed))
    for folder in [*steps, tree.base(seed)]:
        yield from step(tree, f"{tree.name(folder)}/manifest.json")


def completions(tree: Tree, variant: str, seed: int, records: pd.DataFrame) -> Iterator[str]:
    """Yield the first completion of each verdict, line by line, and how to see the others."""
    yield f"seed {seed}: {records['verdict'].value_counts().to_dict()}, the first of each:"
    for row in records.groupby("verdict").head(1).to_dict("records"):
        answer = "none" if pd.isna(row["answer"]) else row["answer"]
        place = f"{row['benchmark']} {row['problem']} sample {row['sample']}"
        yield f"  {row['verdict']}: {place}, gold {row['gold']}, answer {answer}"
        lines = row["text"].splitlines()
        yield from (f"  | {line}" for line in lines[:SHOWN])
        if len(lines) > SHOWN:
            yield f"  ({len(lines) - SHOWN} lines more)"
    yield view(tree, variant, seed)


def view(tree: Tree, variant: str, seed: int) -> str:
    """Return the command that shows all completions of a policy."""
    folder = shlex.quote(str(tree.layout.evaluation(variant, seed)))
    return f"  all of them: python -m maspo.steps.view {folder}"


def step(tree: Tree, name: str) -> Iterator[str]:
    """Yield what a step wrote, whether the files still are as it says, and what it ran with."""
    manifest: Manifest | None = tree.manifests.get(name)
    if manifest is None:
        yield f"  {name}: NO MANIFEST"
        return
    for output, digest in manifest["outputs"].items():
        if not output.endswith(".jsonl"):
            yield f"  {output}: SHA-256 {digest}, {state(tree, output, digest)}"
    git: dict[str, Any] = manifest["package"]["git"] or {}
    yield (
        f"    made by step {manifest['step']} at commit {git.get('commit')}, "
        f"seeds {manifest['seeds']}, on {manifest['time']['finished']}"
    )
    yield f"    settings {manifest['settings']}"


def state(tree: Tree, output: str, digest: str) -> str:
    """Return whether a file is there, with the bytes that its step stated."""
    path = tree.root / output
    if not path.exists():
        return "MISSING"
    return "as stated" if sha256(path) == digest else "NOT AS STATED"
