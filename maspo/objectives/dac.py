"""DAC: dynamic-adaptive clipping, bounds that depend on a token's old probability."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import clip_surrogate, masked_mean


@register("dac")
@dataclass(frozen=True, kw_only=True)
class Dac(Objective):
    """GRPO's surrogate with bounds from p = pi_old.

        low  = (1 + sqrt(max(1 - 4 clip_low / p, 0))) / 2
        high = min((1 + sqrt(1 + 4 clip_high / p)) / 2, ratio_max)

    The bounds solve |rho - 1| rho p <= clip: a rare token may change by a larger factor.
    Reference: Yang et al. (DCPO), arXiv 2509.02333, dynamic-adaptive clipping; its released code.
    """

    clip_low: float = setting(0.16, above=0, at_most=1)
    clip_high: float = setting(0.2, above=0)
    ratio_max: float = setting(10.0, above=1)
    dual_clip: float | None = setting(3.0, above=1, optional=True)

    def bounds(self, old_prob: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the lower and upper bound of the ratio, shaped as `old_prob` (in [0, 1])."""
        low = (1 + (1 - 4 * self.clip_low / old_prob).clamp(min=0).sqrt()) / 2
        high = (1 + (1 + 4 * self.clip_high / old_prob).sqrt()) / 2
        return low, high.clamp(max=self.ratio_max)

    def surrogate(self, tokens: Tokens) -> Surrogate:
        low, high = self.bounds(tokens.old_log_prob.exp())
        values, weight = clip_surrogate(tokens.ratio, tokens.advantages, low, high, self.dual_clip)
        metrics = {
            "clip_low_mean": masked_mean(low, tokens.mask),
            "clip_high_mean": masked_mean(high, tokens.mask),
        }
        return Surrogate(values, weight, metrics)
