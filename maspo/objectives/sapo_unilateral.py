"""SAPO with its attenuation on one side only."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from maspo.objectives.base import Surrogate, Tokens, register
from maspo.objectives.primitives import overshoot
from maspo.objectives.sapo import Sapo


@register("sapo_unilateral")
@dataclass(frozen=True, kw_only=True)
class SapoUnilateral(Sapo):
    """SAPO's surrogate where A > 0 and rho > 1, or A < 0 and rho < 1; rho A elsewhere.

    The value jumps at rho = 1 by (2 / tau - 1) A, a constant without effect on training; the
    gradient is continuous. It parts what MASPO owes to its one-sided gate from what it owes to the
    Gaussian. Reference: SAPO's formula (arXiv 2511.20347); the restriction to one side is assumed,
    no formula of it is published.
    """

    def surrogate(self, tokens: Tokens) -> Surrogate:
        values, weight = self.attenuated(tokens)
        gated = overshoot(tokens.ratio.detach() - 1, tokens.advantages) > 0
        values = torch.where(gated, values, tokens.ratio * tokens.advantages)
        return Surrogate(values, torch.where(gated, weight, 1.0))
