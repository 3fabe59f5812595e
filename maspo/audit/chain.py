"""Every file is what a step wrote, and every input of a step is another step's output."""

from collections.abc import Iterator
from pathlib import Path

from maspo.audit.finding import Finding, note
from maspo.audit.tree import Tree
from maspo.config import SUITES, config_dir
from maspo.files import files_below, sha256

PRODUCTS = ("data", "base", "runs", "evaluation", *SUITES)
DRAWN = ("figures", "pages")  # of a suite: made again, not listed by a manifest


def check_chain(tree: Tree) -> Iterator[Finding]:
    """Compare every hash that a manifest states with the file, and look for files of no step."""
    made = {}
    for manifest, content in tree.manifests.items():
        for name, digest in content["outputs"].items():
            made[name] = digest
            path = tree.root / name
            if not path.exists():
                yield Finding("chain", name, f"an output of {manifest}", "no such file")
            elif (found := sha256(path)) != digest:
                yield Finding("chain", name, f"SHA-256 {digest} as {manifest} states", found)
    for manifest, content in tree.manifests.items():
        for name, digest in content["inputs"].items():
            if name in tree.manifests:
                found, source = sha256(tree.root / name), "that manifest"
            elif name in made or inside(tree, name):
                found, source = made.get(name), "the step that wrote it"
            elif Path(name).is_absolute() and not Path(name).is_file():
                yield note("chain", manifest, f"{name}, read from outside", "no such file here")
                continue
            else:
                path = project_file(name)
                found, source = sha256(path) if path.is_file() else None, "the project's file"
            if found != digest:
                yield Finding(
                    "chain", manifest, f"input {name} of SHA-256 {found}, {source}", digest
                )
    yield from strangers(tree, made)


def strangers(tree: Tree, made: dict[str, str]) -> Iterator[Finding]:
    """Look for files that no manifest accounts for."""
    for folder in PRODUCTS:
        for path in files_below(tree.root / folder):
            name = tree.name(path)
            parents = {
                tree.name(parent)
                for parent in path.parents
                if parent != tree.root and parent.is_relative_to(tree.root)
            }
            drawn = folder in SUITES and path.relative_to(tree.root).parts[1] in DRAWN
            known = drawn or name in made or name in tree.manifests or made.keys() & parents
            if not path.name.startswith(".") and not known:
                yield Finding("chain", name, "an output of some step", "a file no manifest names")


def inside(tree: Tree, name: str) -> bool:
    """Return whether a manifest's name is that of a file in the results folder."""
    return not Path(name).is_absolute() and (tree.root / name).exists()


def project_file(name: str) -> Path:
    """Return a file outside the results: of the configuration in use, if it lies there."""
    if name.startswith("configs/"):
        return config_dir() / name.removeprefix("configs/")
    return Path(name)
