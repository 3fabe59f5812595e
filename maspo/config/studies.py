"""Studies (variants that answer one question) and suites (studies that are built together)."""

from dataclasses import asdict, dataclass, field
from itertools import product
from typing import Any

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maspo.config.compose import config_dir, options
from maspo.config.names import join_variant, split_variant
from maspo.config.schema import SUITES, Experiment, Train
from maspo.config.variants import build_objective
from maspo.errors import ConfigError

CUSTOM = "custom"  # the study of the variants that a command line names


@dataclass
class StudyFile:
    """What a file of `configs/study/` may hold."""

    title: str = MISSING
    objectives: list[str] = MISSING
    reference: str = MISSING  # the objective that the others are compared with
    train: dict[str, list[Any]] = field(default_factory=dict)  # settings of train, crossed


@dataclass(frozen=True)
class Study:
    """Variants that are compared, each with runs seeded 1 to `seeds`.

    `reference` is the objective that the others are compared with.
    """

    name: str
    title: str
    variants: tuple[str, ...]
    reference: str
    seeds: int

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(variant, reference) of every comparison, both under the same conditions."""
        pairs = []
        for variant in self.variants:
            objective, changed = split_variant(variant)
            if objective != self.reference:
                pairs.append((variant, join_variant(self.reference, changed)))
        return pairs

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(variant, seed) of every run."""
        return [(v, seed) for v in self.variants for seed in range(1, self.seeds + 1)]


def load_study(name: str, seeds: int, train: Train) -> Study:
    """Return a study of `configs/study/`, with its variants named relative to `train`.

    A condition that equals the scale's own setting is left out of the name, so a run that two
    studies name is one run.

    Raises:
        ConfigError: there is no such study, or its file or a variant in it is not valid.
    """
    if name not in options("study"):
        raise ConfigError(f"study {name!r} is unknown: valid are {options('study')}")
    path = config_dir() / "study" / f"{name}.yaml"
    try:
        file = OmegaConf.to_object(OmegaConf.merge(StudyFile, OmegaConf.load(path)))
    except OmegaConfBaseException as error:
        raise ConfigError(f"{path}: {error}") from error
    usual = asdict(train)
    if unknown := set(file.train) - set(usual):
        raise ConfigError(f"{path}: train has no {sorted(unknown)}, it has {sorted(usual)}")
    if file.reference not in file.objectives:
        raise ConfigError(f"{path}: reference={file.reference!r} is not one of {file.objectives}")
    variants = [
        _variant(objective, dict(zip(file.train, values, strict=True)), usual)
        for values in product(*file.train.values())
        for objective in file.objectives
    ]
    return Study(name, file.title, tuple(variants), file.reference, seeds)


def _variant(objective: str, conditions: dict[str, Any], usual: dict[str, Any]) -> str:
    return join_variant(objective, {k: v for k, v in conditions.items() if v != usual[k]})


def load_suite(experiment: Experiment, suite: str | None = None) -> dict[str, Study]:
    """Return the studies of a suite by name; `experiment.suite` if none is named.

    ``default`` holds the scale's `studies` (or, if `variants` is set, one study of these) with
    `seeds` seeds; ``full`` holds the studies and seeds of the scale's `full`.

    Raises:
        ConfigError: a study or a variant is unknown, or an objective refuses its settings.
    """
    suite = suite or experiment.suite
    if suite not in SUITES:
        raise ConfigError(f"suite {suite!r} is unknown: valid are {list(SUITES)}")
    if suite == "default" and experiment.variants:
        variants = tuple(experiment.variants)
        reference, _ = split_variant(variants[0])
        studies = [Study(CUSTOM, "Variants of your own", variants, reference, experiment.seeds)]
    else:
        seeds = dict.fromkeys(experiment.studies, experiment.seeds)
        seeds = experiment.full if suite == "full" else seeds
        studies = [load_study(name, count, experiment.train) for name, count in seeds.items()]
    for variant in dict.fromkeys(v for study in studies for v in study.variants):
        build_objective(variant)
    return {study.name: study for study in studies}
