"""Every file is what a step wrote, and every input of a step is another step's output."""

from collections.abc import Iterator
from pathlib import Path

from maspo.audit.finding import Finding, made_again, note
from maspo.audit.inventory import allowed_files, declared_files, kind_of, policy_like
from maspo.audit.tree import Tree
from maspo.config import SUITES, config_dir
from maspo.files import sha256

PROJECT_FILE = "the project's file"
DRAWN = ("figures", "pages")  # of a suite: made again, not listed by a manifest


def check_chain(tree: Tree) -> Iterator[Finding]:
    """Compare every hash that a manifest states with the file, and look for files without one."""
    made, allowed = {}, allowed_files(tree)
    for manifest, content in tree.manifests.items():
        for name, digest in content["outputs"].items():
            path = tree.root / name
            if name not in allowed:
                yield Finding("chain", manifest, "outputs that this configuration makes", name)
                continue
            made[name] = digest
            if kind_of(path) != allowed[name] or not policy_like(tree, path):
                yield Finding("chain", name, f"an output of {manifest}", "no such file")
            elif (found := tree.sha256(name)) != digest:
                yield Finding("chain", name, f"SHA-256 {digest} as {manifest} states", found)
    for manifest, content in tree.manifests.items():
        for name, digest in content["inputs"].items():
            if ".." in Path(name).parts:
                yield Finding("chain", manifest, "inputs below a known folder", name)
                continue
            if name in tree.manifests:
                found, source = tree.sha256(name), "that manifest"
            elif name in made or inside(tree, name):
                found, source = made.get(name), "the step that wrote it"
            elif Path(name).is_absolute() and not Path(name).is_file():
                yield note("chain", manifest, f"{name}, read from outside", "no such file here")
                continue
            else:
                path = project_file(name)
                found, source = sha256(path) if path.is_file() else None, PROJECT_FILE
            if found != digest:
                wanted = f"input {name} of SHA-256 {found}, {source}"
                finding = Finding("chain", manifest, wanted, digest)
                yield made_again(tree.other_version, finding) if source == PROJECT_FILE else finding
    for name in declared_files(tree):
        drawn = name.startswith(tuple(f"{suite}/{part}/" for suite in SUITES for part in DRAWN))
        if name not in made and name not in tree.manifests and not drawn:
            yield Finding("chain", name, "its SHA-256 in the manifest of its step", "none")


def inside(tree: Tree, name: str) -> bool:
    """Return whether a manifest's name is that of a file in the results folder."""
    return not Path(name).is_absolute() and (tree.root / name).exists()


def project_file(name: str) -> Path:
    """Return a file outside the results: of the configuration in use, if it lies there."""
    if name.startswith("configs/"):
        return config_dir() / name.removeprefix("configs/")
    return Path(name)
