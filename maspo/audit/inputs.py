"""Every step read what a step of its kind reads: no link of the chain can be left out."""

from collections.abc import Iterator
from pathlib import Path

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree
from maspo.config import split_variant
from maspo.layout import BASE_VARIANT
from maspo.reporting.results import manifest_files, run_files, study_inputs

CLOSED = ("base", "train", "evaluate")  # steps that read nothing but what is listed here


def check_inputs(tree: Tree) -> Iterator[Finding]:
    """Look for manifests of another step, or without an input that their outputs come from."""
    for name, step, needed in links(tree):
        if (manifest := tree.manifests.get(name)) is None:
            continue  # the checks of the chain and of the seeds tell what is missing
        if manifest["step"] != step:
            yield Finding("inputs", name, f"the step {step}", str(manifest["step"]))
        for file in needed:
            if file not in manifest["inputs"]:
                yield Finding("inputs", name, f"{file} among its inputs", "no such input")
        if step in CLOSED and (more := sorted(manifest["inputs"].keys() - set(needed))):
            yield Finding("inputs", name, f"no inputs but {sorted(needed)}", str(more))


def links(tree: Tree) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (manifest, step, inputs that it must name) of every step behind the suites."""
    data = tree.manifests["data/manifest.json"]["outputs"]
    benchmarks = [name for name in data if name.startswith("data/benchmarks/")]
    experiment = next(iter(tree.suites.values()))
    taught = [] if experiment.model.supervised is None else [experiment.task.lessons]
    lessons = [f"data/{name}.parquet" for name in taught]
    yield "data/manifest.json", "data", []
    for base in dict.fromkeys(tree.base(seed) for _, seed in tree.declared):
        yield f"{tree.name(base)}/manifest.json", "base", lessons
    for variant, seed in tree.declared:
        folder = tree.name(tree.layout.run(variant, seed))
        problems = split_variant(variant)[1].get("problems", experiment.train.problems)
        needed = [f"data/{problems}.parquet", tree.name(tree.base(seed) / "policy")]
        yield f"{folder}/manifest.json", "train", needed
    for variant, seed in tree.evaluated:
        folder = tree.name(tree.layout.evaluation(variant, seed))
        policies = [tree.layout.policy(variant, seed)]
        if variant != BASE_VARIANT:
            steps = experiment.train.snapshots
            policies += [tree.layout.snapshot(variant, seed, step) for step in steps]
        yield f"{folder}/manifest.json", "evaluate", [*benchmarks, *map(tree.name, policies)]

    def names(files: list[Path]) -> list[str]:
        return ["configs/claims.yaml", *map(tree.name, files)]

    results = tree.results
    for suite in tree.suites:
        studies = {name: study for (of, name), study in tree.studies.items() if of == suite}
        everything = [policy for study in studies.values() for policy in study.policies]
        for name, study in studies.items():
            files = run_files(results, study.policies) + study_inputs(results, study.policies)
            yield f"{suite}/tables/{name}_manifest.json", "table", names(files)
        files = run_files(results, everything) + manifest_files(results, everything)
        yield f"{suite}/claims_manifest.json", "claims", names(files)
