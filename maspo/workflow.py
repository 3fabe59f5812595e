"""The workflow of this checkout, started by a command of the package in a folder of its own."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from maspo.errors import MaspoError

ROOT = Path(__file__).resolve().parents[1]  # of the checkout, which holds the Snakefile
LOG = "workflow.log"
TAIL = 15  # lines of the log that an error shows


def run_workflow(
    folder: Path, targets: Sequence[Path], config: Sequence[str], cores: str, configs: Path
) -> None:
    """Make files that are missing or out of date; what is printed goes to `LOG`.

    Args:
        folder: in which the workflow works; targets are relative to it.
        targets: the files to make.
        config: as Snakemake's ``--config`` takes it, ``KEY=VALUE``.
        cores: as Snakemake's ``--cores`` takes it.
        configs: the folder of the configuration.

    Raises:
        MaspoError: the workflow failed; the message has the end of its log.
    """
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(ROOT / "Snakefile")]
    command += ["--directory", str(folder), "--cores", cores, "--rerun-incomplete"]
    command += [*map(str, targets), "--config", *config]
    log = folder / LOG
    with log.open("w") as file:
        environment = {**os.environ, "MASPO_CONFIGS": str(configs)}
        done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, env=environment)
    if done.returncode:
        tail = "\n".join(log.read_text().splitlines()[-TAIL:])
        raise MaspoError(f"the workflow failed; the end of {log}:\n{tail}")
