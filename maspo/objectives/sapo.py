"""SAPO: a sigmoid gate on both sides of rho = 1."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import AGGREGATIONS, choose


@register("sapo")
@dataclass(frozen=True, kw_only=True)
class Sapo(Objective):
    """Soft Adaptive Policy Optimization.

        s = (4 / tau) sigmoid(tau (rho - 1)) A,  tau = tau_pos where A > 0, else tau_neg

    Its gradient weight is 4 sigmoid (1 - sigmoid): 1 at rho = 1 and less on both sides.
    Reference: Gao et al., arXiv 2511.20347; default aggregation as in that paper.
    """

    aggregation: str = setting("seq_mean_token_mean", choices=AGGREGATIONS)
    tau_pos: float = setting(1.0, above=0)
    tau_neg: float = setting(1.05, above=0)

    def attenuated(self, tokens: Tokens) -> tuple[torch.Tensor, torch.Tensor]:
        """Return SAPO's surrogate and gradient weight, both (B, T)."""
        tau = choose(tokens.advantages > 0, self.tau_pos, self.tau_neg, tokens.ratio)
        sigmoid = torch.sigmoid(tau * (tokens.ratio - 1))
        gate = sigmoid.detach()
        return (4 / tau) * sigmoid * tokens.advantages, 4 * gate * (1 - gate)

    def surrogate(self, tokens: Tokens) -> Surrogate:
        return Surrogate(*self.attenuated(tokens))
