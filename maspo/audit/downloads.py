"""What was downloaded is not in the package, so it cannot be made again here.

Its pins are compared; the rest is not checked, and the report says how it can be.
"""

from collections.abc import Iterator

from maspo.audit.finding import Finding, not_checked
from maspo.audit.tree import Tree
from maspo.config import Experiment, HubTask

AGAIN = "again"  # a folder of the reader's


def check_downloads(tree: Tree) -> Iterator[Finding]:
    """Compare the files that problems were made from with their pins; tell what is not checked."""
    experiment = next(iter(tree.suites.values()))
    if isinstance(experiment.task, HubTask):
        yield from problems(tree, experiment, experiment.task)
    for folder in dict.fromkeys(tree.base(seed) for _, seed in tree.declared):
        manifest = tree.manifest(folder)
        if manifest is None or manifest["settings"].get("kind") == "built":
            continue  # the check of the chain names a manifest that is not there
        settings, name = manifest["settings"], tree.name(folder / "policy")
        commit = settings.get("resolved_revision") or settings["revision"]
        reason = f"weights of {settings['path']} at {commit}, which are not fetched here"
        yield not_checked("downloads", name, reason, remedy(experiment, "base", name))


def problems(tree: Tree, experiment: Experiment, task: HubTask) -> Iterator[Finding]:
    """Tell where the problems are from, and compare the SHA-256 of those files with the pins."""
    sources = [task.training] if task.benchmark_files else [task.training, task.evaluation]
    read = set(tree.manifests["data/manifest.json"]["inputs"].values())
    for source in sources:
        if source.sha256 is not None and source.sha256 not in read:
            wanted = f"an input of SHA-256 {source.sha256}, {source.file} of {source.repo}"
            yield Finding("downloads", "data/manifest.json", wanted, str(sorted(read)))
    places = [f"{source.repo} at {source.revision}" for source in sources]
    places += [task.benchmark_files] if task.benchmark_files else []
    reason = f"problems from {', '.join(places)}, which are not fetched here"
    yield not_checked("downloads", "data", reason, remedy(experiment, "data", "data"))


def remedy(experiment: Experiment, step: str, name: str) -> str:
    """Return how a reader with the hub can check a folder."""
    run = " seed=1" if step == "base" else ""
    command = f"python -m maspo.steps.{step} scale={experiment.scale}{run} results={AGAIN}"
    return (
        f"the files of {name} and {AGAIN}/{name} alike (diff -r) after {command}, with the hub or "
        "with a folder that holds its files (docs/data.md)"
    )
