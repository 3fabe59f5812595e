"""The results beside those that are committed in ``reference/``."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from maspo.audit.environment import fingerprint
from maspo.audit.finding import Finding, not_checked, note
from maspo.audit.metrics import METRICS
from maspo.audit.tree import PROJECT, Manifest, Tree
from maspo.config import as_dict, load_experiment
from maspo.files import read_json_lines, sha256

STEPS = ("data", "base", "train", "evaluate")
SECONDS = "timings.jsonl"  # differs in every run


def check_reference(tree: Tree) -> Iterator[Finding]:
    """On the reference's platform outputs are the same bits; elsewhere lie in its intervals."""
    scale = next(iter(tree.suites.values())).scale
    references = committed(scale)
    if not references:
        yield note("reference", f"reference/{scale}", "a committed run of this scale", "none")
        return
    for kept, manifests in references.items():
        yield from edited(kept, manifests.values())
    folder = max(references, key=lambda kept: len(references[kept].keys() & tree.manifests.keys()))
    theirs = references[folder]
    shared = [n for n in tree.manifests if n in theirs and tree.manifests[n]["step"] in STEPS]
    same = [n for n in shared if fingerprint(tree.manifests[n]) == fingerprint(theirs[n])]
    usual = as_dict(load_experiment([f"scale={scale}"]))
    for name in same:
        ours = tree.manifests[name]
        if (
            known_then(ours["settings"], theirs[name]["settings"], usual)
            != theirs[name]["settings"]
        ):
            remedy = "the reference's settings, of which the outputs are known"
            yield not_checked("reference", name, "other settings than the reference's", remedy)
            continue
        digests = theirs[name]["outputs"]
        for output, digest in ours["outputs"].items():
            if not output.endswith(SECONDS) and digests.get(output) not in (None, digest):
                yield Finding(
                    "reference", output, f"SHA-256 {digests[output]}, on this platform", digest
                )
    if len(same) < len(shared):
        reason = f"{len(shared) - len(same)} of {len(shared)} steps state another platform"
        remedy = f"the reference's bits on {platforms(theirs.values())}; here its intervals alone"
        yield not_checked("reference", f"reference/{folder.name}", reason, remedy)
        yield from beside_intervals(tree, folder)


def committed(scale: str) -> dict[Path, dict[str, Manifest]]:
    """Return the folders of ``reference/`` that hold runs of a scale, with their manifests."""
    found = {}
    for path in sorted((PROJECT / "reference").glob("*/manifests.jsonl")):
        manifests = {manifest["manifest"]: manifest for manifest in read_json_lines(path)}
        if next(iter(manifests.values()))["experiment"]["scale"] == scale:
            found[path.parent] = manifests
    return found


def platforms(manifests: Iterable[Manifest]) -> str:
    """Return the processors that the reference ran on."""
    return ", ".join(sorted({manifest["platform"]["processor"] for manifest in manifests}))


def edited(folder: Path, manifests: Iterable[Manifest]) -> Iterator[Finding]:
    """Compare the reference's own tables and claims with the manifests beside them."""
    for manifest in manifests:
        for output, digest in manifest["outputs"].items():
            name = output.partition("full/")[2]  # the suite that reference/update.py takes
            path = folder / name
            if name and (found := sha256(path) if path.is_file() else "no such file") != digest:
                file = f"reference/{folder.name}/{name}"
                yield Finding("reference", file, f"SHA-256 {digest} of its manifest", found)


def known_then(ours: dict, theirs: dict, usual: dict) -> dict:
    """Return our settings without those that came after the reference and are the scale's usual."""
    kept = {}
    for name, value in ours.items():
        if name not in theirs and name in usual and value == usual[name]:
            continue
        if isinstance(value, dict) and isinstance(theirs.get(name), dict):
            value = known_then(value, theirs[name], usual.get(name, {}))
        kept[name] = value
    return kept


def beside_intervals(tree: Tree, folder: Path) -> Iterator[Finding]:
    """List the cells that lie outside the reference's intervals."""
    for suite, study in tree.studies:
        ours, theirs = tree.layout.tables(suite) / f"{study}.csv", folder / f"tables/{study}.csv"
        if not (ours.is_file() and theirs.is_file()):
            continue
        keys = ["variant", "benchmark"]
        both = pd.read_csv(ours).merge(pd.read_csv(theirs), on=keys, suffixes=("", "_theirs"))
        for row in both.to_dict("records"):
            for metric in METRICS:
                low, high = row[f"{metric}_low_theirs"], row[f"{metric}_high_theirs"]
                if not low <= row[metric] <= high:
                    wanted = f"{metric} of {row['variant']} {row['benchmark']} in [{low}, {high}]"
                    yield note("reference", tree.name(ours), wanted, str(row[metric]))
