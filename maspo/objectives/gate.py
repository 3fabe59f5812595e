"""MASPO's gate with its measure of distance as a setting."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from maspo.objectives.base import Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.maspo import Maspo

DISTANCES = ("ratio", "tv", "kl")


@register("gate")
@dataclass(frozen=True, kw_only=True)
class Gate(Maspo):
    """MASPO with another distance d in its gate, w = exp(-d^2 / (2 sigma^2)).

        ratio:  d = |rho - 1|                           MASPO itself
        tv:     d = |pi - pi_old| = pi_old |rho - 1|    the token's part of the total variation
        kl:     d = sqrt(2 (rho - 1 - log rho))         of Schulman's estimate k3 of KL(old || new)

    Near rho = 1 the distance of `kl` is |rho - 1|, so a width means the same there; its gate is
    exp(-k3 / sigma^2). Not published: a family to search (docs/search.md). `attached_gate` is
    MASPO's alone.
    """

    distance: str = setting("ratio", choices=DISTANCES)

    def __post_init__(self):
        super().__post_init__()
        if self.attached_gate and self.distance != "ratio":
            raise ValueError(
                "Gate.attached_gate must be false where distance is not 'ratio' (its gradient is "
                f"written for the ratio), got distance = {self.distance!r}"
            )

    def deviation(self, tokens: Tokens) -> torch.Tensor:
        excess = super().deviation(tokens)
        if self.distance == "tv":
            return tokens.old_log_prob.exp() * excess
        if self.distance == "kl":
            log_rho = tokens.log_ratio.detach()
            k3 = (log_rho.expm1() - log_rho).clamp(min=0)  # never negative, but for rounding
            return excess.sign() * (2 * k3).sqrt()
        return excess
