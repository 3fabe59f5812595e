"""The results folder that is audited, read from its files and manifests alone."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from maspo import __version__
from maspo.config import SUITES, Experiment, Study, experiment_from, load_suite
from maspo.errors import DataError
from maspo.evaluation.records import read_records, read_snapshots
from maspo.files import read_json, sha256
from maspo.layout import BASE_VARIANT, Layout
from maspo.reporting.results import Results

Manifest = dict[str, Any]
PROJECT = Path(__file__).parents[2]  # the checkout: scripts, pins, reference
SCHEMA = PROJECT / "workflow" / "schemas" / "manifest.schema.json"
# Where a step leaves its manifest. Nothing else is looked for: a link may lead anywhere.
PLACES = (
    *("data/manifest.json", "base/*/manifest.json", "runs/*/*/manifest.json"),
    *("evaluation/*/*/manifest.json", "*/claims_manifest.json", "*/tables/*_manifest.json"),
)


def leads_out(name: str) -> bool:
    """Return whether a name in a manifest leads out of the folder that it is relative to."""
    return Path(name).is_absolute() or ".." in Path(name).parts


def read_manifest(path: Path, validator: Draft202012Validator) -> Manifest:
    """Return a manifest; DataError where it is no JSON or lacks what every step writes."""
    manifest = read_json(path)
    if fault := best_match(validator.iter_errors(manifest)):
        where = ".".join(map(str, fault.absolute_path)) or "the whole"
        raise DataError(f"{path} is no manifest of a step: {where}: {fault.message[:200]}")
    return manifest


@dataclass(frozen=True)
class Tree:
    """A results folder such as ``results/mini``, wherever it lies."""

    root: Path

    @property
    def layout(self) -> Layout:
        """Where things lie in it."""
        return Layout(self.root)

    @cached_property
    def results(self) -> Results:
        """What the reports read of it; in one audit every file is read once."""
        return Results(self.layout)

    def name(self, path: Path) -> str:
        """Return a path as findings and manifests call it."""
        return path.relative_to(self.root).as_posix()

    @cached_property
    def manifests(self) -> dict[str, Manifest]:
        """Every manifest by its name. DataError if one is not valid or there is none."""
        found = (path for place in PLACES for path in self.root.glob(place))
        paths = sorted(path for path in found if path.is_file())
        if not paths:
            raise DataError(
                f"{self.root} holds no manifest: it is no results folder of this package"
            )
        validator = Draft202012Validator(read_json(SCHEMA))
        return {self.name(path): read_manifest(path, validator) for path in paths}

    @cached_property
    def other_version(self) -> str | None:
        """The versions of this package that made the folder, where the one that audits is none."""
        versions = {str(manifest["package"]["maspo"]) for manifest in self.manifests.values()}
        return None if __version__ in versions else " and ".join(sorted(versions))

    @cached_property
    def stated(self) -> dict[str, str]:
        """SHA-256 of every output in this folder by its name, as the manifests state them."""
        outputs = (pair for m in self.manifests.values() for pair in m["outputs"].items())
        return {name: sha for name, sha in outputs if not leads_out(name)}

    @cached_property
    def _hashes(self) -> dict[str, str]:
        return {}

    def sha256(self, name: str) -> str:
        """Return the SHA-256 of a file or folder in it, read once."""
        if name not in self._hashes:
            self._hashes[name] = sha256(self.root / name)
        return self._hashes[name]

    @cached_property
    def _experiments(self) -> dict[str, Experiment]:
        return {}

    def experiment(self, manifest: Manifest) -> Experiment:
        """Return the configuration of a step; what differs in variant and seed alone is read once.

        Raises:
            ConfigError: it is none of this package.
        """
        whole = manifest["experiment"]
        own = {name: whole[name] for name in ("variant", "seed") if name in whole}
        shared = json.dumps({**whole, **dict.fromkeys(own)}, sort_keys=True)
        if shared not in self._experiments:
            self._experiments[shared] = experiment_from(whole)
        return replace(self._experiments[shared], **own)

    def manifest(self, folder: Path) -> Manifest | None:
        """Return the manifest of a run or an evaluation, if it has one."""
        return self.manifests.get(f"{self.name(folder)}/manifest.json")

    @cached_property
    def suites(self) -> dict[str, Experiment]:
        """The configuration of each suite that was reported, as its manifest holds it."""
        found = {}
        for suite in SUITES:
            if manifest := self.manifests.get(f"{suite}/claims_manifest.json"):
                found[suite] = experiment_from(
                    {**manifest["experiment"], "results": str(self.root)}
                )
        return found

    @cached_property
    def studies(self) -> dict[tuple[str, str], Study]:
        """Every study by (suite, name), as `configs/` declares it."""
        return {
            (suite, name): study
            for suite, experiment in self.suites.items()
            for name, study in load_suite(experiment, suite).items()
        }

    @cached_property
    def declared(self) -> list[tuple[str, int]]:
        """(variant, seed) of every run that the studies declare, each once."""
        return list(dict.fromkeys(run for study in self.studies.values() for run in study.runs))

    @property
    def evaluated(self) -> list[tuple[str, int]]:
        """(variant, seed) of every policy that must have been evaluated, base policies first."""
        policies = [policy for study in self.studies.values() for policy in study.policies]
        bases = [policy for policy in policies if policy[0] == BASE_VARIANT]
        return list(dict.fromkeys([*bases, *policies]))

    def base(self, seed: int) -> Path:
        """Return the folder of the base policy that a run of `seed` starts from."""
        return self.layout.base(next(iter(self.suites.values())).model.base_seed(seed))

    def records_file(self, variant: str, seed: int) -> Path:
        """Return where the records of a policy lie."""
        return self.layout.evaluation(variant, seed) / "records.parquet"

    def records(self) -> Iterator[tuple[str, int, Path, pd.DataFrame]]:
        """Yield (variant, seed, file, records) of every evaluated policy whose file can be read."""
        for variant, seed in self.evaluated:
            try:
                records = self.records_of(variant, seed)
            except DataError:
                continue  # the check of the chain names it
            yield variant, seed, self.records_file(variant, seed), records

    def graded(self) -> Iterator[tuple[Path, pd.DataFrame]]:
        """Yield (file, records) of all that can be read, those of snapshots included."""
        for _, _, path, records in self.records():
            yield path, records
            snapshots = path.with_name("snapshots.parquet")
            if snapshots.is_file():
                with suppress(DataError):
                    yield snapshots, read_snapshots(snapshots)

    def records_of(self, variant: str, seed: int) -> pd.DataFrame:
        """Return the records of a policy; DataError if they cannot be read."""
        return read_records(self.records_file(variant, seed))
