"""Everything in a results folder is what its configuration makes, and nothing else is there.

The list of files is derived from the configuration of the suites and of extra runs, never from
what a manifest says that it wrote: an invented manifest vouches for nothing.
"""

import hashlib
from collections.abc import Iterator
from functools import reduce
from operator import or_
from pathlib import Path

from maspo.audit.finding import Finding, note
from maspo.audit.tree import Tree
from maspo.config import Experiment
from maspo.layout import BASE_VARIANT
from maspo.reporting.outputs import CLAIMS, suite_figures, suite_pages, suite_tables
from maspo.training.rollouts import FILE as ROLLOUTS

FILE, FOLDER, DEVICE = "a file", "a folder", "a device or pipe"
# Folders of which the content is neither a result nor read by a step, and the files they may hold.
BESIDE = {"logs": ".log", "usage": ".tsv", "patches": ".patch", "audit": "", "view": ".html"}
USAGE = ("usage.csv", "usage.md")  # the target `usage` of the workflow: what jobs took
STAMP = ".snakemake_timestamp"  # Snakemake leaves one in every folder that a rule made
DESKTOP = ".DS_Store"  # macOS leaves one in every folder that somebody looked at
POLICY = {"policy": FOLDER}


def check_inventory(tree: Tree) -> Iterator[Finding]:
    """Compare what is in the folder with what the declared steps write, by name and by kind."""
    for folder in extra_folders(tree):
        found = "one more than the studies declare"
        yield note("inventory", tree.name(folder), "a step that the studies declare", found)
    for name, kind in declared_files(tree).items():
        if kind_of(tree.root / name) is None:
            yield Finding("inventory", name, kind, "nothing")
    allowed = allowed_files(tree)
    parents = {str(parent) for name in allowed for parent in Path(name).parents}
    yield from strangers(tree, tree.root, allowed, parents)


def digest(tree: Tree) -> str:
    """Return the SHA-256 of the names and contents of all that steps wrote: what is audited."""
    found = hashlib.sha256()
    for name, kind in sorted(allowed_files(tree).items()):
        path = tree.root / name
        whole = tree.sha256(name) if kind_of(path) == kind and policy_like(tree, path) else None
        found.update(f"{name}\x00{whole}\n".encode())
    return found.hexdigest()


def allowed_files(tree: Tree) -> dict[str, str]:
    """Return every file and folder, with its kind, that declared steps and extra runs write."""
    extra = [step_files(tree, folder) for folder in extra_folders(tree)]
    return reduce(or_, extra, declared_files(tree))


def strangers(
    tree: Tree, folder: Path, allowed: dict[str, str], parents: set[str]
) -> Iterator[Finding]:
    """Yield what is below a folder and is neither allowed nor above something allowed."""
    for path in sorted(folder.iterdir()):
        name, kind = tree.name(path), kind_of(path)
        part = Path(name).parts[0]
        if name in allowed:
            if kind != allowed[name] or not policy_like(tree, path):
                yield Finding("inventory", name, allowed[name], kind or "a link to nothing")
            elif kind == FOLDER:
                yield from irregular(tree, path)
        elif name in parents and kind == FOLDER:
            yield from strangers(tree, path, allowed, parents)
        elif is_stamp(path) or path.name == DESKTOP or (name in USAGE and kind == FILE):
            continue
        elif part == "checkpoints" and kind == FOLDER and len(Path(name).parts) < 3:
            yield from strangers(tree, path, allowed, parents)
        elif part == "checkpoints" and (path.match("seed_*") or path.match(".seed_*.lock")):
            continue  # the check `partial` names unfinished runs; a finished one leaves its lock
        elif part in BESIDE and kind == FOLDER and not path.is_symlink():
            yield from strangers(tree, path, allowed, parents)
        elif part in BESIDE and kind == FILE and name != part and name.endswith(BESIDE[part]):
            continue
        else:
            wanted = "nothing that no step of this configuration writes: delete it"
            yield Finding("inventory", name, wanted, kind or "a link to nothing")


def irregular(tree: Tree, folder: Path) -> Iterator[Finding]:
    """Yield what a policy's folder holds and its hash does not: hidden files, links, devices."""
    for path in sorted(folder.rglob("*")):
        hidden = path.name.startswith(".") and not is_stamp(path) and path.name != DESKTOP
        if hidden or path.is_symlink() or kind_of(path) not in (FILE, FOLDER):
            yield Finding("inventory", tree.name(path), "regular files of a policy", "another kind")


def is_stamp(path: Path) -> bool:
    """Return whether a path is the empty file that Snakemake leaves."""
    return path.name == STAMP and path.is_file() and not path.stat().st_size


def kind_of(path: Path) -> str | None:
    """Return what lies at a path, behind a link too (Snakemake's cache leaves links)."""
    if path.is_dir():
        return FOLDER
    if path.is_file():
        return FILE
    return DEVICE if path.exists() else None


def policy_like(tree: Tree, path: Path) -> bool:
    """Return whether a path is no folder, or one of a policy that is no link to another run's.

    A link could lead to a whole disk; one into Snakemake's cache leads out of the results.
    """
    if not path.is_dir():
        return True
    within = path.is_symlink() and path.resolve().is_relative_to(tree.root.resolve())
    return (path / "config.json").is_file() and not within


def declared_files(tree: Tree) -> dict[str, str]:
    """Return every file and folder that the steps behind the suites write, with its kind.

    None where no suite was reported: then there is no configuration to derive them from.
    """
    if not tree.suites:
        return {}
    files = step_files(tree, tree.layout.data)
    for seed in dict.fromkeys(seed for _, seed in tree.declared):
        files |= step_files(tree, tree.base(seed))
    for variant, seed in tree.declared:
        files |= step_files(tree, tree.layout.run(variant, seed))
    for variant, seed in tree.evaluated:
        files |= step_files(tree, tree.layout.evaluation(variant, seed))
    for suite, experiment in tree.suites.items():
        files |= suite_files(tree, suite, experiment)
    return files


def step_files(tree: Tree, folder: Path) -> dict[str, str]:
    """Return what the step of a folder of ``data``, ``base``, ``runs``, ``evaluation`` writes."""
    experiment = next(iter(tree.suites.values()))
    task, steps = experiment.task, experiment.train.snapshots
    kind = tree.name(folder).split("/")[0]
    files = {"manifest.json": FILE}
    if kind == "data":
        names = [f"benchmarks/{name}.parquet" for name in task.benchmarks]
        names += [f"{name}.parquet" for name in task.training_files]
        files |= dict.fromkeys([*names, *task.reports], FILE)
    elif kind == "base":
        files |= POLICY | dict.fromkeys(experiment.model.files, FILE)
    elif kind == "runs":
        files |= POLICY | dict.fromkeys(["metrics.jsonl", "timings.jsonl"], FILE)
        files |= {f"snapshots/step_{step}": FOLDER for step in steps}
        if experiment.train.rollouts_mb is not None:
            files[ROLLOUTS] = FILE
    else:
        files["records.parquet"] = FILE
        if steps and folder.parent.name != BASE_VARIANT:
            files["snapshots.parquet"] = FILE
    return {f"{tree.name(folder)}/{name}": kind for name, kind in files.items()}


def suite_files(tree: Tree, suite: str, experiment: Experiment) -> dict[str, str]:
    """Return what is reported of a suite; pages and figures only where there are some.

    The figures are not the audit's to demand: `snakemake` draws those that are missing.
    """
    studies = [name for of, name in tree.studies if of == suite]
    names = [f"tables/{name}" for name in suite_tables(studies)]
    names += [f"tables/{study}_manifest.json" for study in studies]
    names += ["claims_manifest.json", *CLAIMS]
    if (tree.layout.suite(suite) / "figures").exists():
        figures = suite_figures(experiment, studies)
        names += [f"figures/{name}.{kind}" for name in figures for kind in ("png", "pdf")]
    if (tree.layout.suite(suite) / "pages").exists():
        names += [f"pages/{name}.html" for name in suite_pages(studies)]
    return {f"{suite}/{name}": FILE for name in names}


def extra_folders(tree: Tree) -> list[Path]:
    """Return the folders of steps that no study declares: of other seeds, variants, studies."""
    declared = {tree.base(seed) for _, seed in tree.declared}
    declared |= {tree.layout.run(*run) for run in tree.declared}
    declared |= {tree.layout.evaluation(*policy) for policy in tree.evaluated}
    steps = {"runs": "train", "base": "base", "evaluation": "evaluate"}
    found = []
    for name, manifest in tree.manifests.items():
        folder = (tree.root / name).parent
        kind, *rest = tree.name(folder).split("/")
        depth = 1 if kind == "base" else 2
        usual = len(rest) == depth and rest[-1].removeprefix("seed_").isdecimal()
        if usual and tree.suites and manifest["step"] == steps.get(kind) and folder not in declared:
            found.append(folder)
    return found
