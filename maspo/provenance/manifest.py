"""The manifest that every step writes beside its outputs (design section 7)."""

import hashlib
import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from maspo import __version__
from maspo.config import config_dir
from maspo.files import sha256, write_json, write_text
from maspo.provenance import git
from maspo.provenance.dispatch import dispatch_settings
from maspo.verifier import GRADER_VERSION


def write_manifest(
    path: Path,
    results: Path,
    step: str,
    settings: Mapping[str, Any],
    experiment: Mapping[str, Any],
    inputs: Iterable[Path],
    outputs: Iterable[Path],
    seeds: Mapping[str, int],
    started: datetime,
    seconds: Mapping[str, float],
) -> None:
    """Write what a step did, so that an audit needs nothing but files.

    Args:
        path: of the manifest.
        results: the folder of all results. Files in it are named relative to it, so that it can
            be moved as a whole; others relative to the current folder where they lie in it.
        settings: the resolved configuration that the step's outputs depend on.
        experiment: the whole resolved configuration.
        inputs, outputs: files or folders, recorded with their SHA-256.
        seeds: every seed that the step's draws derive from, by purpose.
        started: when the step began, in UTC.
        seconds: wall time by part of the work.
    """
    manifest = {
        "step": step,
        "settings": dict(settings),
        "experiment": dict(experiment),
        "seeds": dict(seeds),
        "inputs": {_name(file, results): sha256(file) for file in inputs},
        "outputs": {_name(file, results): sha256(file) for file in outputs},
        "package": {"maspo": __version__, "grader": GRADER_VERSION, "git": git_state(results)},
        **surroundings(),
        "time": {
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
        },
    }
    write_json(path, manifest)


def surroundings() -> dict[str, Any]:
    """Return every installed package, the platform and the variables that choose kernels."""
    installed = [distribution.metadata for distribution in distributions()]  # parsed once each
    return {
        "packages": dict(sorted((package["Name"], package["Version"]) for package in installed)),
        "platform": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "processor": processor(),
            "cores": os.cpu_count(),
        },
        "variables": dispatch_settings(),
    }


def _name(path: Path, results: Path) -> str:
    path = Path(path).absolute()
    if path.is_relative_to(config_dir()):
        return f"configs/{path.relative_to(config_dir()).as_posix()}"
    for root in (Path(results).absolute(), Path.cwd()):
        if path.is_relative_to(root):
            return path.relative_to(root).as_posix()
    return str(path)


def git_state(results: Path) -> dict[str, Any] | None:
    """Return commit and cleanliness of the checkout this package runs from; None outside one.

    The changes of a tree that is not clean are kept in ``<results>/patches/``, by their SHA-256.
    Where git does not tell, its reason is the only entry: ``refused``.
    """
    if not git.is_checkout():
        return None
    try:
        commit, text = git.commit(), git.changes()
    except (OSError, git.GitRefusedError) as error:
        return {"refused": str(error)}
    if not text:
        return {"commit": commit, "clean": True, "patch": None}
    name = hashlib.sha256(text.encode()).hexdigest()
    if not (file := results / "patches" / f"{name}.patch").is_file():
        write_text(file, text)
    return {"commit": commit, "clean": False, "patch": name}


def processor() -> str:
    """Return the name of the CPU, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
