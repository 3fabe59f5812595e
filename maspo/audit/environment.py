"""What the steps ran on: one environment, that of the constraints, from a clean tree."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from maspo import __version__
from maspo.audit.finding import Finding, note
from maspo.audit.tree import PROJECT, Manifest, Tree
from maspo.files import sha256
from maspo.provenance import git

CONSTRAINTS = "constraints/cpu.txt"


def canonical(name: str) -> str:
    """Return a package's name as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(path: Path) -> dict[str, str]:
    """Return the versions that a constraints file pins, by canonical name."""
    lines = (line.split("#")[0].strip() for line in path.read_text().splitlines())
    pairs = (line.split(";")[0].split("==") for line in lines if "==" in line)
    return {canonical(name): version.strip() for name, version in pairs}


# Of numpy's matrix products, which neither training nor sampling has; torch brings its own.
NUMPY_BLAS = ("OPENBLAS_", "BLIS_")


def fingerprint(manifest: Manifest) -> str:
    """Return what bits depend on: processor, Python, torch, transformers, numpy, variables."""
    place, packages = manifest["platform"], manifest["packages"]
    parts = [place[k] for k in ("machine", "processor", "python")]
    parts += [packages.get(name) for name in ("torch", "transformers", "numpy")]
    chosen = {k: v for k, v in variables(manifest).items() if not k.startswith(NUMPY_BLAS)}
    return json.dumps([*parts, *chosen.items()])


def variables(manifest: Manifest) -> dict[str, str]:
    """Return the variables that chose kernels; manifests up to version 0.4.0 have none."""
    return manifest.get("variables", {})


def check_environment(tree: Tree) -> Iterator[Finding]:
    """List packages that are not pinned so, changes of the tree, what chose kernels, mixtures."""
    pinned = pins(PROJECT / CONSTRAINTS)
    seen = set()
    for name, manifest in tree.manifests.items():
        for package, version in manifest["packages"].items():
            pin = pinned.get(canonical(package))
            odd = (package, version)
            if pin and version.partition("+")[0] != pin.partition("+")[0] and odd not in seen:
                seen.add(odd)
                yield note("environment", name, f"{package} {pin} ({CONSTRAINTS})", version)
        for chosen in variables(manifest).items():
            if chosen not in seen:
                seen.add(chosen)
                wanted = f"{chosen[0]} not set: it chooses kernels, so that bits differ"
                yield note("environment", name, wanted, chosen[1])
        state = manifest["package"]["git"]
        if state is None:
            if "no git" not in seen:
                seen.add("no git")
                yield note("environment", name, "a git checkout", "none")
            continue
        if "refused" in state:
            if state["refused"] not in seen:
                seen.add(state["refused"])
                found = f"git refused: {state['refused']}"
                yield note("environment", name, "the commit of the code", found)
            continue
        if state["commit"] not in seen:
            seen.add(state["commit"])
            yield from unknown(name, state["commit"])
        if not state["clean"]:
            patch = tree.root / "patches" / f"{state['patch']}.patch"
            if not patch.is_file():
                wanted = f"the changes to {state['commit'][:12]} in {tree.name(patch)}"
                yield Finding("environment", name, wanted, "no such file")
            elif (found := sha256(patch)) != state["patch"]:
                yield Finding("environment", tree.name(patch), f"SHA-256 {state['patch']}", found)
            elif state["patch"] not in seen:
                seen.add(state["patch"])
                yield note(
                    "environment",
                    name,
                    f"a clean tree at {state['commit'][:12]}",
                    f"changes, kept in {tree.name(patch)}",
                )
    for what, read in (
        ("platform", fingerprint),
        ("package", lambda m: json.dumps([m["package"]["maspo"], m["package"]["grader"]])),
        ("commit", lambda m: str((m["package"]["git"] or {}).get("commit"))),
    ):
        values = Counter(read(manifest) for manifest in tree.manifests.values())
        (usual, _), *others = values.most_common()
        for odd, _ in others:
            first = next(name for name, m in tree.manifests.items() if read(m) == odd)
            yield note("environment", first, f"one {what} for all steps, {usual}", odd)
    theirs = Counter(manifest["package"]["maspo"] for manifest in tree.manifests.values())
    if set(theirs) != {__version__}:
        first = next(n for n, m in tree.manifests.items() if m["package"]["maspo"] != __version__)
        yield note("environment", first, f"maspo {__version__}, which audits", str(dict(theirs)))
    yield from unlike(tree)


def unknown(name: str, commit: str) -> Iterator[Finding]:
    """Look a commit up, where there is a checkout to look in."""
    try:
        known = not git.is_checkout() or git.knows(commit)
    except OSError:
        return  # no git here
    if not known:
        yield note("environment", name, "a commit that this checkout has", commit)


def unlike(tree: Tree) -> Iterator[Finding]:
    """List the packages of a step that are not those of most steps, each at the first such step."""
    lists = Counter(tuple(sorted(m["packages"].items())) for m in tree.manifests.values())
    usual = dict(lists.most_common(1)[0][0])
    seen = set()
    for name, manifest in tree.manifests.items():
        found = manifest["packages"]
        for package in sorted(usual.keys() | found.keys()):
            ours, theirs = usual.get(package), found.get(package)
            if ours != theirs and (package, theirs) not in seen:
                seen.add((package, theirs))
                wanted = f"{package} {ours}, as in most steps"
                yield note("environment", name, wanted, str(theirs))
