"""One suite: its studies, and what policy they were run with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maspo.config import Experiment, load_suite
from maspo.layout import BASE_VARIANT
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
        """(variant, seed) of every run, each once; the base policy first."""
        return list(dict.fromkeys(run for data in self.studies for run in data.runs))

    @property
    def seeds(self) -> dict[str, int]:
        """Every variant, each once, with the number of its runs; the base policy first."""
        counts = {BASE_VARIANT: 1}
        for data in self.studies:
            for variant in data.study.variants:
                counts[variant] = max(counts.get(variant, 0), data.study.seeds)
        return counts

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
