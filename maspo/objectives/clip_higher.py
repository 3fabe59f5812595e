"""Clip-Higher: GRPO with a wider upper bound."""

from dataclasses import dataclass

from maspo.objectives.base import register
from maspo.objectives.constraints import setting
from maspo.objectives.grpo import Grpo


@register("clip_higher")
@dataclass(frozen=True, kw_only=True)
class ClipHigher(Grpo):
    """GRPO's surrogate with decoupled clipping distances, 0.2 below 1 and 0.28 above.

    Reference: Yu et al. (DAPO), arXiv 2503.14476, equation 8.
    """

    clip_high: float = setting(0.28, above=0)
