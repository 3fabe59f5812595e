"""Studies (variants that answer one question) and suites (studies that are built together)."""

from dataclasses import dataclass, field
from itertools import product
from typing import Any

from omegaconf import MISSING, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from maspo.config.checks import require_different
from maspo.config.files import config_dir, options
from maspo.config.names import join_variant, split_variant
from maspo.config.schema import SUITES, Experiment
from maspo.config.variants import one_name, read_condition, with_variant
from maspo.errors import ConfigError
from maspo.layout import BASE_VARIANT

CUSTOM = "custom"  # the suite of the variants that a command line names, and its only study


@dataclass
class StudyFile:
    """What a file of `configs/study/` may hold."""

    title: str = MISSING
    objectives: list[str] = MISSING  # each may carry conditions of its own: grpo@lr_0.0002
    reference: str = MISSING  # the objective that the others are compared with
    train: dict[str, list[Any]] = field(default_factory=dict)  # settings of train, crossed
    first_seed: int = 1  # of the runs; counted from the experiment's
    policy: str | None = None  # kind of model that its settings are made for; null: any


@dataclass(frozen=True)
class Study:
    """Variants that are compared, each with `seeds` runs, seeded from `first_seed` on.

    `reference` is the objective that the others are compared with; `base_seeds` are those of the
    base policies that the runs start from. `unnamed` holds the scale's own values, as text, of the
    settings of `train` that some variants change: the names of the others leave them out.
    """

    name: str
    title: str
    variants: tuple[str, ...]
    reference: str
    seeds: int
    first_seed: int
    base_seeds: tuple[int, ...]
    unnamed: dict[str, str] = field(default_factory=dict)

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
    if file.policy not in (None, experiment.model.kind):
        raise ConfigError(
            f"study {name!r} is made for model.kind={file.policy} and not for the policy of scale "
            f"{experiment.scale}, model.kind={experiment.model.kind}: copy {path} to a study of "
            "your own, with settings that fit this policy and its `policy`"
        )
    crossed = {
        name: [read_condition(str(path), name, str(value)) for value in values]
        for name, values in file.train.items()
    }
    if file.first_seed < 1:
        raise ConfigError(f"{path}: first_seed={file.first_seed} is not valid: at least 1")
    if file.reference not in [split_variant(name)[0] for name in file.objectives]:
        raise ConfigError(f"{path}: reference={file.reference!r} is not one of {file.objectives}")
    variants = [
        one_name(objective, experiment.train, dict(zip(crossed, values, strict=True)))
        for values in product(*crossed.values())
        for objective in file.objectives
    ]
    reference = one_name(file.reference, experiment.train)
    return _study(experiment, name, file.title, variants, reference, seeds, file.first_seed)


def _study(
    experiment: Experiment,
    name: str,
    title: str,
    variants: list[str],
    reference: str,
    seeds: int,
    first: int = 1,
) -> Study:
    first += experiment.first_seed - 1
    require_different(f"variants of study {name!r}", variants)
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
    changed = sorted({name for variant in variants for name in split_variant(variant)[1]})
    unnamed = {name: str(getattr(experiment.train, name)) for name in changed}
    return Study(name, title, tuple(variants), reference, seeds, first, bases, unnamed)


def load_suite(experiment: Experiment, suite: str | None = None) -> dict[str, Study]:
    """Return the studies of a suite by name; `experiment.suite` if none is named.

    ``default`` holds `studies` with `seeds` seeds; ``full`` the studies and seeds of `full`;
    ``custom`` one study of `variants` with `seeds` seeds.

    Raises:
        ConfigError: a study or a variant is unknown or does not fit the experiment, an objective
            refuses its settings, or the suite has no study.
    """
    suite = suite or experiment.suite
    if suite not in SUITES:
        raise ConfigError(f"suite {suite!r} is unknown: valid are {list(SUITES)}")
    if experiment.train.snapshots:
        experiment.check_snapshots()
    if suite == CUSTOM:
        studies = [_custom(experiment)]
    else:
        counts = dict.fromkeys(experiment.studies, experiment.seeds)
        counts = experiment.full if suite == "full" else counts
        studies = [load_study(name, count, experiment) for name, count in counts.items()]
    if not studies:
        raise ConfigError(f"suite {suite!r} has no study: name one in `studies` or `full`")
    for variant in dict.fromkeys(v for study in studies for v in study.variants):
        with_variant(experiment, variant)
    return {study.name: study for study in studies}


def _custom(experiment: Experiment) -> Study:
    """Return the study of the variants that the experiment names, compared with the first."""
    if not experiment.variants:
        raise ConfigError(f"suite {CUSTOM!r} needs variants, as in variants=[grpo,maspo]")
    variants = experiment.variants
    for variant in variants:
        with_variant(experiment, variant)
    reference, _ = split_variant(variants[0])
    return _study(experiment, CUSTOM, "Variants of your own", variants, reference, experiment.seeds)
