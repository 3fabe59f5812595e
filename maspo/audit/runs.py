"""Runs: all that were declared, each once and whole, and alike in all but their method."""

from collections.abc import Iterator
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

import omegaconf
import pandas as pd

from maspo.audit.finding import Finding, note
from maspo.audit.tree import Manifest, Tree
from maspo.config import as_dict, condition_values, objective_settings
from maspo.config.schema import Train
from maspo.errors import DataError
from maspo.files import read_json_lines
from maspo.layout import BASE_VARIANT
from maspo.seeding import derive_seed
from maspo.tasks import read_problems


class Absent:
    """Stands for a setting that is not there, which is not the same as one that is None."""

    def __repr__(self) -> str:
        return "no such setting"


ABSENT = Absent()


def check_seeds(tree: Tree) -> Iterator[Finding]:
    """Look for runs that are missing, partial, hidden, or drawn from other seeds than declared."""
    for variant, seed in tree.evaluated:
        folders = [(tree.layout.evaluation(variant, seed), "evaluate")]
        if variant != BASE_VARIANT:
            folders.append((tree.layout.run(variant, seed), "run"))
        for folder, purpose in folders:
            name, manifest = tree.name(folder), tree.manifest(folder)
            if manifest is None:
                yield Finding("seeds", name, f"a finished step of {variant} seed {seed}", "none")
            else:
                yield from identity(f"{name}/manifest.json", manifest, purpose, variant, seed)
    for base in dict.fromkeys(tree.base(seed) for _, seed in tree.declared):
        manifest = tree.manifest(base)
        if manifest is not None and manifest["settings"].get("supervised"):
            seed = int(base.name.removeprefix("seed_"))
            yield from identity(f"{tree.name(base)}/manifest.json", manifest, "base", None, seed)
    for left in sorted(tree.layout.root.glob("checkpoints/*/seed_*")):
        yield Finding("partial", tree.name(left), "no unfinished run", "a checkpoint of one")
    yield from twins(tree)
    for kind in ("runs", "evaluation"):
        for folder in sorted((tree.root / kind).glob("*/seed_*")):
            if tree.manifest(folder) is None:
                yield Finding("partial", tree.name(folder), "a finished step", "no manifest")


def identity(
    name: str, manifest: Manifest, purpose: str, variant: str | None, seed: int
) -> Iterator[Finding]:
    """Compare seeds, variant and seed of a manifest with those of the folder that it lies in."""
    if manifest["seeds"] != {purpose: seed}:
        yield Finding("seeds", name, f"seeds { ({purpose: seed}) }", str(manifest["seeds"]))
    whole = manifest["experiment"]
    if (whole.get("variant"), whole.get("seed")) != (variant, seed):
        found = f"{whole.get('variant')} seed {whole.get('seed')}"
        yield Finding("seeds", name, f"a step of {variant or purpose} seed {seed}", found)


def twins(tree: Tree) -> Iterator[Finding]:
    """Look for runs that ended with the same policy.

    Another seed draws other prompts, so that cannot be. Two methods can agree, where no ratio
    leaves the region in which both do the same: that is for the reader to judge.
    """
    seen: dict[str, tuple[str, int]] = {}
    for variant, seed in tree.declared:
        folder = tree.layout.run(variant, seed)
        digest = (tree.manifest(folder) or {"outputs": {}})["outputs"].get(
            policy := tree.name(folder / "policy")
        )
        if digest is None:
            continue
        stated = (tree.manifest(folder) or {"outputs": {}})["outputs"]
        before = {name: sha for name, sha in stated.items() if "/snapshots/" in name}
        base = tree.base(seed)
        before |= (tree.manifest(base) or {"outputs": {}})["outputs"]
        if same := [name for name, sha in before.items() if sha == digest]:
            yield note(
                "seeds", policy, "a policy that training moved to its end", f"that of {same}"
            )
        other, of = seen.setdefault(digest, (variant, seed))
        if (other, of) == (variant, seed):
            continue
        found = f"that of {other} seed {of}"
        if seed != of:
            yield Finding("seeds", policy, "a policy of its own", found)
        else:
            yield note("seeds", policy, "a policy of its own", found)


def check_budgets(tree: Tree) -> Iterator[Finding]:
    """Compare steps, samples, seeds of samples and lengths with the settings."""
    for variant, seed in tree.declared:
        folder = tree.layout.run(variant, seed)
        if (manifest := tree.manifest(folder)) is None:
            continue
        steps = manifest["settings"]["train"]["steps"]
        path = folder / "metrics.jsonl"
        try:
            found = [row["step"] for row in read_json_lines(path)]
        except (DataError, KeyError) as error:
            yield Finding("budgets", tree.name(path), f"{steps} steps", str(error))
            continue
        if found != list(range(1, steps + 1)):
            last = found[-1] if found else None
            wanted = f"steps 1 to {steps}, each once"
            yield Finding("budgets", tree.name(path), wanted, f"{len(found)} rows to {last}")
    whole = benchmark_problems(tree)
    for path, records in tree.graded():
        if (manifest := tree.manifest(path.parent)) is None:
            continue
        if "step" not in records:
            yield from drawn_faults(tree, path, records, manifest, whole)
            continue
        few = manifest["settings"]["evaluate"]["snapshot_problems"]
        known = {name: problems[:few] for name, problems in whole.items()}
        kept = list(next(iter(tree.suites.values())).train.snapshots)
        if (found := list(records["step"].unique())) != kept:
            yield Finding("budgets", tree.name(path), f"policies of the steps {kept}", str(found))
        for _, of_step in records.groupby("step", sort=False):
            yield from drawn_faults(tree, path, of_step, manifest, known)


def drawn_faults(
    tree: Tree, path: Path, records: pd.DataFrame, manifest: Manifest, known: dict[str, list[str]]
) -> Iterator[Finding]:
    """Compare the records of one policy with the settings and with the problems of benchmarks."""
    name, seed = tree.name(path), int(path.parent.name.removeprefix("seed_"))
    limit = tree.manifests["data/manifest.json"]["settings"]["max_completion_tokens"]
    samples = manifest["settings"]["evaluate"]["samples"]
    problems = records.groupby(["benchmark", "problem"], sort=False)["sample"]
    found = problems.agg(["size", "nunique", "min", "max"])
    odd = (found != [samples, samples, 0, samples - 1]).any(axis=1)
    for benchmark, problem in found.index[odd]:
        drawn = sorted(problems.get_group((benchmark, problem)))
        wanted = f"samples 0 to {samples - 1} of {benchmark} {problem}, each once"
        yield Finding("budgets", name, wanted, str(drawn))
    columns = (records[column].tolist() for column in ("problem", "sample", "seed"))
    drawn = zip(*columns, strict=True)
    wrong = [(p, s) for p, s, d in drawn if sample_seed(seed, p, s) != d]
    if wrong:
        wanted = f"samples drawn from seed {seed}"
        yield Finding("budgets", name, wanted, f"{len(wrong)} others, the first {wrong[0]}")
    if len(records) and records["tokens"].max() > limit:
        wanted = f"at most {limit} tokens a completion"
        yield Finding("budgets", name, wanted, str(records["tokens"].max()))
    if short := too_few_tokens(manifest, records, limit):
        wanted = f"tokens for every character of {short['text']!r} and its end"
        yield Finding("budgets", name, wanted, str(short["tokens"]))
    drawn_on: dict[str, set[str]] = {}
    for benchmark, problem in found.index:
        drawn_on.setdefault(benchmark, set()).add(problem)
    for benchmark in sorted(drawn_on.keys() | known.keys()):
        wanted, found = set(known.get(benchmark, [])), drawn_on.get(benchmark, set())
        if odd := sorted(wanted ^ found):
            what = f"the {len(wanted)} problems of {benchmark} that the settings give"
            yield Finding("budgets", name, what, f"{len(found)}; too many or missing: {odd[:5]}")


@cache
def sample_seed(seed: int, problem: str, sample: int) -> int:
    """Return what a sample is drawn from; the same for every method, so it is kept."""
    return derive_seed(seed, "evaluate", problem, sample)


def too_few_tokens(manifest: Manifest, records: pd.DataFrame, limit: int) -> dict[str, Any] | None:
    """Return a completion that states fewer tokens than its text has, where a character is one."""
    if manifest["experiment"]["model"]["kind"] != "built":
        return None
    least = (records["text"].str.len() + 1).clip(upper=limit)
    return next(iter(records[records["tokens"] < least].to_dict("records")), None)


def benchmark_problems(tree: Tree) -> dict[str, list[str]]:
    """Return the problems of each benchmark, in their order."""
    folder = tree.layout.data / "benchmarks"
    files = sorted(folder.glob("*.parquet"))
    return {path.stem: [problem.id for problem in read_problems(path)] for path in files}


def check_fairness(tree: Tree) -> Iterator[Finding]:
    """All runs differ in the objective, the conditions that their name states, and the seed."""
    reference: dict[str, Any] | None = None
    for variant, seed in tree.declared:
        name = f"{tree.name(tree.layout.run(variant, seed))}/manifest.json"
        if (manifest := tree.manifests.get(name)) is None:
            continue
        settings = manifest["settings"]
        if settings["objective"] != (declared := objective_settings(variant)):
            yield from unequal("fairness", name, "objective", declared, settings["objective"])
        common = {k: v for k, v in settings.items() if k not in ("objective", "train")}
        train = dict(settings["train"])
        usual = as_dict(next(iter(tree.suites.values())).train)
        train = later_settings(Train) | train
        for condition, stated in condition_values(variant).items():
            if train.pop(condition, None) != stated:
                yield Finding("fairness", name, f"train.{condition}={stated}", "another value")
            usual.pop(condition)
        yield from unequal("fairness", name, "train", usual, train)
        reference = reference or common
        yield from unequal("fairness", name, "settings", reference, common)
    evaluations = {}
    for variant, seed in tree.evaluated:
        folder = tree.layout.evaluation(variant, seed)
        if manifest := tree.manifest(folder):
            evaluations[f"{tree.name(folder)}/manifest.json"] = manifest["settings"]
    first = next(iter(evaluations.values()), {})
    for name, settings in evaluations.items():
        yield from unequal("fairness", name, "settings", first, settings)
    yield from reshaped(tree)


def reshaped(tree: Tree) -> Iterator[Finding]:
    """Look for policies of another architecture or tokenizer than the base policy they began as.

    Of base policies that were built here: others may be written anew in another form.
    """
    for variant, seed in tree.declared:
        base, run = tree.base(seed), tree.layout.run(variant, seed)
        if (manifest := tree.manifest(base)) is None or manifest["settings"].get("kind") != "built":
            continue
        for policy in (run / "policy", *sorted(run.glob("snapshots/*"))):
            for file in ("config.json", "tokenizer.json"):
                parts = [folder / file for folder in (base / "policy", policy)]
                if all(map(Path.is_file, parts)) and len({p.read_bytes() for p in parts}) > 1:
                    wanted = f"the bytes of {tree.name(parts[0])}"
                    yield Finding("fairness", tree.name(parts[1]), wanted, "others")


def later_settings(settings: type) -> dict[str, Any]:
    """Return the settings that have a default in the schema: those that older manifests lack."""
    required = (MISSING, omegaconf.MISSING)
    return {f.name: f.default for f in fields(settings) if f.default not in required}


def unequal(
    check: str, name: str, part: str, expected: dict[str, Any], found: dict[str, Any]
) -> Iterator[Finding]:
    """Yield every setting of a part that differs."""
    for key in sorted(expected.keys() | found.keys()):
        wanted, had = expected.get(key, ABSENT), found.get(key, ABSENT)
        if isinstance(wanted, dict) and isinstance(had, dict):
            yield from unequal(check, name, f"{part}.{key}", wanted, had)
        elif wanted is ABSENT:
            yield Finding(check, name, f"no setting {part}.{key}", repr(had))
        elif wanted != had:
            yield Finding(check, name, f"{part}.{key}={wanted!r}", repr(had))
