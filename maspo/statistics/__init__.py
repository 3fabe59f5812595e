"""Statistics of many runs: intervals, paired comparisons, variance components, planning.

`docs/statistics.md` says what is computed, why, and what coverage was measured.
"""

from maspo.config.schema import Statistics as Settings
from maspo.statistics.comparisons import comparisons, holm
from maspo.statistics.intervals import estimates, seed_mean
from maspo.statistics.outcomes import Outcomes, outcomes
from maspo.statistics.planning import plan
from maspo.statistics.variance import variance_components

__all__ = [
    "Outcomes",
    "Settings",
    "comparisons",
    "estimates",
    "holm",
    "outcomes",
    "plan",
    "seed_mean",
    "variance_components",
]
