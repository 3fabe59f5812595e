"""The manifest that every step writes beside its outputs (design section 7)."""

import os
import platform
import subprocess
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from maspo import __version__
from maspo.files import sha256, write_json

PACKAGES = (
    "torch",
    "transformers",
    "tokenizers",
    "datasets",
    "hydra-core",
    "math-verify",
    "numpy",
    "pandas",
    "pyarrow",
    "matplotlib",
)


def write_manifest(
    path: Path,
    step: str,
    settings: Mapping[str, Any],
    inputs: Iterable[Path],
    outputs: Iterable[Path],
    seeds: Mapping[str, int],
    started: datetime,
    seconds: Mapping[str, float],
) -> None:
    """Write what a step did, so that an audit needs nothing but files.

    Args:
        path: of the manifest; paths in it are relative to the current folder where they can be.
        settings: the resolved configuration of the step.
        inputs, outputs: files or folders, recorded with their SHA-256.
        seeds: every seed that the step's draws derive from, by purpose.
        started: when the step began, in UTC.
        seconds: wall time by part of the work.
    """
    manifest = {
        "step": step,
        "settings": dict(settings),
        "seeds": dict(seeds),
        "inputs": {_relative(file): sha256(file) for file in inputs},
        "outputs": {_relative(file): sha256(file) for file in outputs},
        "package": {"maspo": __version__, "git": git_state()},
        "packages": {name: _version(name) for name in PACKAGES},
        "platform": {
            "python": platform.python_version(),
            "system": platform.platform(),
            "machine": platform.machine(),
            "processor": processor(),
            "cores": os.cpu_count(),
        },
        "time": {
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": {name: round(value, 3) for name, value in seconds.items()},
        },
    }
    write_json(path, manifest)


def _relative(path: Path) -> str:
    path = Path(path).absolute()
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def git_state() -> dict[str, Any] | None:
    """Return commit and cleanliness of the checkout this package runs from; None outside one."""
    command = ["git", "-C", str(Path(__file__).parent)]
    try:
        commit = subprocess.run(
            [*command, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
        )
        status = subprocess.run(
            [*command, "status", "--porcelain"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return {"commit": commit.stdout.strip(), "clean": not status.stdout.strip()}


def processor() -> str:
    """Return the name of the CPU, as far as the system tells."""
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor()
