"""The runs of a test bed: the workflow itself, with one objective more in its configuration."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from maspo.config import config_dir, options
from maspo.errors import ConfigError
from maspo.evaluation.records import read_records
from maspo.files import sha256, write_text
from maspo.layout import Layout
from maspo.statistics import outcomes
from maspo.statistics.outcomes import strata
from maspo.workflow import run_workflow

NAME = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Runs:
    """Runs of two variants below `folder`, made by the workflow as far as they are missing.

    Base policies, and the runs of methods that did not change, serve the next test bed too.
    """

    folder: Path
    method: str
    reference: str
    scale: str
    cores: str = "all"
    overrides: tuple[str, ...] = ()

    @property
    def layout(self) -> Layout:
        """Where the results of this scale lie."""
        return Layout(self.folder / self.scale)

    def make(self, seeds: int) -> None:
        """Train and evaluate both variants for the seeds 1 to `seeds`."""
        self._snakemake(seeds, [self._records(v, s) for v, s in self._runs(seeds)])

    def draw(self, seeds: int, figures: tuple[str, ...]) -> list[Path]:
        """Return the figures of these names, drawn of all runs."""
        files = [Path(self.scale) / f"custom/figures/custom/{name}.png" for name in figures]
        self._snakemake(seeds, files)
        return [self.folder / file for file in files]

    def differences(self, seeds: int) -> NDArray[np.float64]:
        """Return the method's Avg@k less the reference's, of each seed, (seeds,), in [-1, 1]."""
        method, reference = (
            seed_averages(
                [self.folder / self._records(variant, seed) for seed in range(1, seeds + 1)]
            )
            for variant in (self.method, self.reference)
        )
        return method - reference

    def _runs(self, seeds: int) -> list[tuple[str, int]]:
        variants = dict.fromkeys([self.reference, self.method])
        return [(variant, seed) for seed in range(1, seeds + 1) for variant in variants]

    def _records(self, variant: str, seed: int) -> Path:
        """Return the records of a run, relative to `folder`."""
        return (self.layout.evaluation(variant, seed) / "records.parquet").relative_to(self.folder)

    def _snakemake(self, seeds: int, targets: list[Path]) -> None:
        variants = ",".join(dict.fromkeys([self.reference, self.method]))
        settings = " ".join([f"results={self.scale}", *self.overrides])
        config = [f"scale={self.scale}", f"seeds={seeds}", f"variants={variants}"]
        config += [f"overrides={settings}"]
        run_workflow(self.folder, targets, config, self.cores, self.folder / "configs")


def seed_averages(records: list[Path]) -> NDArray[np.float64]:
    """Return Avg@k of each seed, (seeds,): the mean over benchmarks, from its records."""
    found = outcomes([read_records(path) for path in records])
    parts = [found.correct[:, rows].mean(axis=(1, 2)) for _, rows in strata(found.benchmarks)]
    return np.mean(parts, axis=0)


def add_objective(folder: Path, file: Path) -> str:
    """Copy the configuration to `folder`/configs, with this file as an objective; return its name.

    Raises:
        ConfigError: the file's name cannot be an objective's, or is one already.
    """
    name = file.stem
    if file.suffix != ".py" or not NAME.fullmatch(name):
        raise ConfigError(
            f"{file}: the file's name becomes the method's: small letters, digits and "
            "underscores, then .py, as in my_objective.py"
        )
    if name in options("objective"):
        raise ConfigError(f"{file}: {name} is a method of this package: rename the file")
    copy_configuration(folder)
    lines = [
        "_target_: maspo.testbed.objective.FileObjective",
        f"path: {str(file.resolve())!r}",
        f"sha256: {sha256(file)}",
    ]
    write_text(folder / "configs" / "objective" / f"{name}.yaml", "\n".join(lines) + "\n")
    return name


def copy_configuration(folder: Path) -> None:
    """Copy the configuration to `folder`/configs; objectives of earlier test beds stay."""
    shutil.copytree(config_dir(), folder / "configs", dirs_exist_ok=True)
