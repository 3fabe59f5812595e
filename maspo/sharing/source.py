"""What is shared of a results folder is what its manifests vouch for."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maspo.errors import DataError
from maspo.files import read_json, sha256

PAPER = "https://arxiv.org/abs/2602.17550"
CITATION = """\
```bibtex
@inproceedings{fu2026maspo,
  title     = {{MASPO}: Unifying Gradient Utilization, Probability Mass, and Signal Reliability for
               Robust and Sample-Efficient {LLM} Reasoning},
  author    = {Fu, Xiaoliang and others},
  booktitle = {ACL},
  year      = {2026},
  url       = {https://arxiv.org/abs/2602.17550}
}
```"""


def manifest_of(folder: Path) -> dict[str, Any]:
    """Return the manifest of a step's folder.

    Raises:
        DataError: there is none: the step was not run, or not to its end.
    """
    path = folder / "manifest.json"
    if not path.is_file():
        raise DataError(f"{folder} has no manifest.json: run the step that makes it, to its end")
    return read_json(path)


def check(results: Path, manifest: dict[str, Any], *paths: Path) -> None:
    """Refuse files that are not those which their step wrote.

    Raises:
        DataError: a file is missing, or has another SHA-256 than its manifest says.
    """
    for path in paths:
        name = path.relative_to(results).as_posix()
        if not path.exists() or sha256(path) != manifest["outputs"].get(name):
            raise DataError(
                f"{path} is not what its manifest describes: audit the results before you share "
                f"them (python -m maspo.steps.audit {results})"
            )


def copy(source: Path, target: Path) -> None:
    """Copy a file, or the files of a folder that are not hidden, with what links point to."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        hidden = shutil.ignore_patterns(".*")
        shutil.copytree(source, target, dirs_exist_ok=True, ignore=hidden)
    else:
        shutil.copyfile(source, target)


def new_folder(target: Path) -> None:
    """Create the folder of what is shared.

    Raises:
        DataError: something is there already: what is shared must not be mixed with other files.
    """
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise DataError(f"{target} is there already: name a new folder, or delete it")
    target.mkdir(parents=True, exist_ok=True)


def made_by(manifest: Mapping[str, Any]) -> str:
    """Return a sentence on the code that made something."""
    package, git = manifest["package"], manifest["package"]["git"]
    commit = ""
    if git and "commit" in git:
        commit = f", commit `{git['commit']}`" + ("" if git["clean"] else " with changes")
    return f"maspo {package['maspo']}{commit}, finished {manifest['time']['finished']}"
