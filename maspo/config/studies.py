"""Studies (variants that answer one question) and suites (studies that are built together)."""

from dataclasses import asdict, dataclass, field, replace
from itertools import product
from typing import Any

import yaml
from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maspo.config.compose import config_dir, options
from maspo.config.names import join_variant, split_variant
from maspo.config.schema import SUITES, Experiment
from maspo.config.variants import build_objective
from maspo.errors import ConfigError
from maspo.layout import BASE_VARIANT

CUSTOM = "custom"  # the study of the variants that a command line names


@dataclass
class StudyFile:
    """What a file of `configs/study/` may hold."""

    title: str = MISSING
    objectives: list[str] = MISSING  # each may carry conditions of its own: grpo@lr_0.0002
    reference: str = MISSING  # the objective that the others are compared with
    train: dict[str, list[Any]] = field(default_factory=dict)  # settings of train, crossed
    first_seed: int = 1  # of the runs


@dataclass(frozen=True)
class Study:
    """Variants that are compared, each with `seeds` runs, seeded from `first_seed` on.

    `reference` is the objective that the others are compared with; `base_seeds` are those of the
    base policies that the runs start from.
    """

    name: str
    title: str
    variants: tuple[str, ...]
    reference: str
    seeds: int
    first_seed: int
    base_seeds: tuple[int, ...]

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """(variant, reference) of every comparison, both under the same conditions.

        Where the reference has no run under them (each method at its own best rate), its only
        variant stands for it.
        """
        references = [v for v in self.variants if split_variant(v)[0] == self.reference]
        pairs = []
        for variant in self.variants:
            objective, changed = split_variant(variant)
            if objective != self.reference:
                same = join_variant(self.reference, changed)
                pairs.append((variant, same if same in references else references[0]))
        return pairs

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(variant, seed) of every run."""
        return [run for variant in self.variants for run in self.runs_of(variant)]

    def runs_of(self, variant: str) -> list[tuple[str, int]]:
        """(variant, seed) of every run of a variant; of the base policies for ``base``."""
        seeds = range(self.first_seed, self.first_seed + self.seeds)
        return [(variant, seed) for seed in (self.base_seeds if variant == BASE_VARIANT else seeds)]

    @property
    def policies(self) -> list[tuple[str, int]]:
        """(variant, seed) of every policy that is evaluated, the base policies first."""
        return [*self.runs_of(BASE_VARIANT), *self.runs]


def load_study(name: str, seeds: int, experiment: Experiment) -> Study:
    """Return a study of `configs/study/`, with its variants named relative to the experiment.

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
    usual = asdict(experiment.train)
    if unknown := set(file.train) - set(usual):
        raise ConfigError(f"{path}: train has no {sorted(unknown)}, it has {sorted(usual)}")
    if file.first_seed < 1:
        raise ConfigError(f"{path}: first_seed={file.first_seed} is not valid: at least 1")
    if file.reference not in [split_variant(name)[0] for name in file.objectives]:
        raise ConfigError(f"{path}: reference={file.reference!r} is not one of {file.objectives}")
    variants = [
        _variant(objective, dict(zip(file.train, values, strict=True)), usual)
        for values in product(*file.train.values())
        for objective in file.objectives
    ]
    return _study(experiment, name, file.title, variants, file.reference, seeds, file.first_seed)


def _study(
    experiment: Experiment,
    name: str,
    title: str,
    variants: list[str],
    reference: str,
    seeds: int,
    first: int = 1,
) -> Study:
    references = [v for v in variants if split_variant(v)[0] == reference]
    for variant in variants:
        objective, changed = split_variant(variant)
        if objective == reference or join_variant(reference, changed) in references:
            continue
        if len(references) != 1:
            raise ConfigError(
                f"study {name!r}: {variant!r} has no {reference!r} under the same conditions to be "
                f"compared with, and there are several others: {references}; add "
                f"{join_variant(reference, changed)!r}"
            )
    numbers = range(first, first + seeds)
    bases = tuple(dict.fromkeys(experiment.model.base_seed(seed) for seed in numbers))
    return Study(name, title, tuple(variants), reference, seeds, first, bases)


def _variant(name: str, conditions: dict[str, Any], usual: dict[str, Any]) -> str:
    """Return the one name of an objective under the study's conditions and those of its name."""
    objective, own = split_variant(name)
    if unknown := set(own) - set(usual):
        raise ConfigError(f"variant {name!r}: train has no {sorted(unknown)}: {sorted(usual)}")
    changed = conditions | {k: _typed(name, v, usual[k]) for k, v in own.items()}
    return join_variant(objective, {k: v for k, v in changed.items() if v != usual[k]})


def _typed(name: str, text: str, usual: Any) -> Any:
    """Return a value that a variant's name spells out, in the type of the scale's own setting."""
    try:
        return float(text) if isinstance(usual, float) else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"variant {name!r}: {text!r} is no value of this setting") from error


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
        usual = asdict(experiment.train)
        variants = list(dict.fromkeys(experiment.variants))
        for variant in variants:
            if (named := _variant(variant, {}, usual)) != variant:
                raise ConfigError(
                    f"variants: {variant!r} is written {named!r} at this scale, so that a run has "
                    "one name: conditions in alphabetical order, without those that are the "
                    "scale's own, numbers as Python writes them"
                )
        reference, _ = split_variant(variants[0])
        title = "Variants of your own"
        studies = [_study(experiment, CUSTOM, title, variants, reference, experiment.seeds)]
    else:
        seeds = dict.fromkeys(experiment.studies, experiment.seeds)
        seeds = experiment.full if suite == "full" else seeds
        studies = [load_study(name, count, experiment) for name, count in seeds.items()]
    for variant in dict.fromkeys(v for study in studies for v in study.variants):
        build_objective(variant)
        if suite == "default":  # scales may inherit studies of `full` that do not fit them
            _check_conditions(experiment, variant)
    return {study.name: study for study in studies}


def _check_conditions(experiment: Experiment, variant: str) -> None:
    """Refuse conditions of a variant that `train` or the whole experiment refuses."""
    _, changed = split_variant(variant)
    usual = asdict(experiment.train)
    own = {name: _typed(variant, text, usual.get(name)) for name, text in changed.items()}
    try:
        replace(experiment, train=replace(experiment.train, **own))
    except (ConfigError, TypeError, ValueError) as error:
        raise ConfigError(f"variant {variant!r}: {error}") from error
