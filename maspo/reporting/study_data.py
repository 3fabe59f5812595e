"""One study as the statistics see it."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from maspo.config import Study, split_variant
from maspo.config.names import join_variant
from maspo.errors import DataError
from maspo.layout import BASE_VARIANT
from maspo.reporting.analysis import Analysis
from maspo.reporting.labels import label
from maspo.reporting.results import Results
from maspo.statistics import Outcomes, comparisons, estimates
from maspo.statistics.outcomes import AVERAGE

__all__ = ["AVERAGE", "StudyData"]


@dataclass(frozen=True)
class StudyData:
    """A study, its runs and what they are analysed with. Comparisons are computed once."""

    results: Results
    study: Study
    analysis: Analysis
    _known: dict = field(default_factory=dict, compare=False, repr=False)

    @property
    def runs(self) -> list[tuple[str, int]]:
        """(variant, seed) of every policy that the study compares, the base policies first."""
        return self.study.policies

    @property
    def variants(self) -> tuple[str, ...]:
        """The variants, the base policy first."""
        return (BASE_VARIANT, *self.study.variants)

    @property
    def level(self) -> float:
        """The level of every interval."""
        return self.analysis.statistics.level

    def ours(self, changed: Mapping[str, str] | None = None) -> str | None:
        """Return the paper's method as this study names it, under the conditions `changed`."""
        names = (join_variant(name, changed or {}) for name in self.analysis.ours)
        return next((name for name in names if name in self.study.variants), None)

    def label(self, variant: str) -> str:
        """Return a variant's name for readers, which says what tells it from the study's others."""
        return label(variant, self.study.unnamed)

    def outcomes(self, variant: str) -> Outcomes:
        """Return the correctness of a variant's completions, (seeds, problems, samples)."""
        return self.results.outcomes(self.study.runs_of(variant))

    def logged(self, variant: str, column: str) -> NDArray[np.float64]:
        """Return a column of a variant's training logs, (seeds, steps); DataError without it."""
        runs = self.study.runs_of(variant)
        values = self.results.curves(runs, column)
        if values is None:
            folder = self.results.layout.run(*runs[0])
            raise DataError(f"{folder}/metrics.jsonl does not log {column!r}")
        return values

    def pairs(self) -> list[tuple[str, str]]:
        """Return the (method, reference) that the tables compare.

        Each method against the study's reference, then the paper's method against each other one
        under the same conditions.
        """
        pairs = list(self.study.pairs)
        for variant in self.study.variants:
            ours = self.ours(split_variant(variant)[1])
            if ours not in (None, variant) and not {(ours, variant), (variant, ours)} & set(pairs):
                pairs.append((ours, variant))
        return pairs

    def estimates(self, ks: tuple[int, ...] | None = None) -> pd.DataFrame:
        """Return `maspo.statistics.estimates` of every variant, for all k or for those of `ks`."""
        key = ("estimates", ks)
        if key not in self._known:
            outcomes = {variant: self.outcomes(variant) for variant in self.variants}
            chosen = {} if ks is None else {"ks": ks}
            self._known[key] = estimates(outcomes, self.analysis.statistics, **chosen)
        return self._known[key]

    @property
    def samples(self) -> int:
        """Completions a problem."""
        return self.outcomes(BASE_VARIANT).samples

    def score(self, variant: str, benchmark: str, metric: str) -> tuple[float, float, float]:
        """Return value, low and high of one benchmark (or the average) at k = n, in [0, 1]."""
        table = self.estimates((self.samples,))
        chosen = table[(table["variant"] == variant) & (table["benchmark"] == benchmark)]
        (row,) = chosen[chosen["metric"] == metric].itertuples()
        return row.value, row.low, row.high

    def comparisons(
        self, pairs: Sequence[tuple[str, str]], level: float | None = None
    ) -> pd.DataFrame:
        """Return `maspo.statistics.comparisons` of the pairs, with intervals at `level`."""
        settings = self.analysis.statistics
        level = settings.level if level is None else level
        key = (tuple(pairs), level)
        if key not in self._known:
            outcomes = {name: self.outcomes(name) for pair in pairs for name in pair}
            draws = max(settings.draws, math.ceil(10 / (1 - level)))  # ten beyond a wide interval
            self._known[key] = comparisons(
                outcomes, list(pairs), replace(settings, level=level, draws=draws)
            )
        return self._known[key]
