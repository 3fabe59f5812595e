"""One suite: its studies, and what policy they were run with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from maspo.config import Experiment, changes, load_suite
from maspo.reporting.analysis import Analysis, load_analysis
from maspo.reporting.results import Results
from maspo.reporting.study_data import StudyData


@dataclass(frozen=True)
class Suite:
    """The studies of a suite, all of one policy and one task."""

    experiment: Experiment
    results: Results
    studies: tuple[StudyData, ...]
    analysis: Analysis

    @property
    def scale(self) -> str:
        """Name of the scale."""
        return self.experiment.scale

    @property
    def model(self) -> str | None:
        """Size of the published policy that was trained, such as 1.5B; None if built here."""
        path = getattr(self.experiment.model, "path", "")
        match = re.search(r"-(\d+(?:\.\d+)?B)$", path.rstrip("/"))
        return match[1] if match else None

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(variant, seed) of every run, each once; base policies first."""
        return list(dict.fromkeys(run for data in self.studies for run in data.runs))

    @property
    def runs_by_variant(self) -> dict[str, list[tuple[str, int]]]:
        """The runs of every variant, seeds rising; the base policies first."""
        runs = sorted(self.runs, key=lambda run: run[1])
        names = dict.fromkeys(variant for variant, _ in self.runs)
        return {name: [run for run in runs if run[0] == name] for name in names}

    @cached_property
    def changes(self) -> list[str]:
        """The overrides that make its experiment from its scale."""
        return changes(self.experiment)

    def study(self, names: Sequence[str]) -> StudyData | None:
        """Return the first of the named studies that this suite has."""
        known = {data.study.name: data for data in self.studies}
        return next((known[name] for name in names if name in known), None)


def load_suite_data(experiment: Experiment, results: Results) -> Suite:
    """Return the suite that an experiment names, over the runs of a results folder."""
    analysis = load_analysis(experiment.statistics)
    studies = load_suite(experiment).values()
    data = tuple(StudyData(results, study, analysis) for study in studies)
    return Suite(experiment, results, data, analysis)
