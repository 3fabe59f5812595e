"""Every step read what a step of its kind reads: no link of the chain can be left out."""

from collections.abc import Iterator
from pathlib import Path

from maspo.audit.finding import Finding
from maspo.audit.tree import Tree
from maspo.layout import BASE_VARIANT
from maspo.reporting.results import Results, manifest_files, run_files

TRAINING = "data/train.parquet"


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


def links(tree: Tree) -> Iterator[tuple[str, str, list[str]]]:
    """Yield (manifest, step, inputs that it must name) of every step behind the suites."""
    data = tree.manifests["data/manifest.json"]["outputs"]
    benchmarks = [name for name in data if name.startswith("data/benchmarks/")]
    built = next(iter(tree.suites.values())).model.kind == "built"
    yield "data/manifest.json", "data", []
    yield "base/manifest.json", "base", [TRAINING] if built else []
    for variant, seed in tree.declared:
        folder = tree.name(tree.layout.run(variant, seed))
        yield f"{folder}/manifest.json", "train", [TRAINING, "base/policy"]
    for variant, seed in tree.evaluated:
        folder = tree.name(tree.layout.evaluation(variant, seed))
        policy = tree.name(tree.layout.policy(variant, seed))
        yield f"{folder}/manifest.json", "evaluate", [*benchmarks, policy]

    def names(files: list[Path]) -> list[str]:
        return ["configs/claims.yaml", *map(tree.name, files)]

    results = Results(tree.layout)
    for suite in tree.suites:
        studies = {name: study for (of, name), study in tree.studies.items() if of == suite}
        everything = [(BASE_VARIANT, 0), *(run for s in studies.values() for run in s.runs)]
        for name, study in studies.items():
            files = run_files(results, [(BASE_VARIANT, 0), *study.runs])
            yield f"{suite}/tables/{name}_manifest.json", "table", names(files)
        files = run_files(results, everything) + manifest_files(results, everything)
        yield f"{suite}/claims_manifest.json", "claims", names(files)
