"""MASPO: a Gaussian gate whose width follows a token's old probability and its advantage."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import masked_mean


@register("maspo")
@dataclass(frozen=True, kw_only=True)
class Maspo(Objective):
    """Mass-Adaptive Soft Policy Optimization.

        s = w rho A,  w = exp(-(rho - 1)^2 / (2 sigma^2)), detached
        where A > 0 and rho > 1 (sigma_pos) or A < 0 and rho < 1 (sigma_neg); w = 1 elsewhere

        sigma_mass = min(sigma_base / pi_old^alpha, sigma_max)
        sigma_pos  = sigma_mass * clamp(1 + beta_high A, risk_min, risk_max)
        sigma_neg  = sigma_mass * clamp(1 / (1 - beta_low A), risk_min, risk_max)

    The sign of A chooses the width: sigma_neg is only ever met with A < 0, where 1 - beta_low A
    is at least 1. The published method has advantages of binary rewards; for real-valued ones the
    same formulas hold, see docs/methods/maspo.md.

    Settings besides the formulas' own: `sigma_max`, `risk_min`, `risk_max` are the clamps of the
    released code, None gives the paper's equations; `bilateral` gates both sides of rho = 1;
    `attached_gate` lets the gradient flow through w.
    Reference: Fu et al., arXiv 2602.17550; released code FlyTune/MASPO-RL at 22b46814.
    """

    sigma_base: float = setting(1.0, above=0)
    alpha: float = setting(0.3, at_least=0)
    beta_high: float = setting(
        0.03, at_least=0, why="below 0, 1 + beta_high A could reach 0 for A > 0"
    )
    beta_low: float = setting(
        0.03, at_least=0, why="below 0, 1 - beta_low A could reach 0 for A < 0"
    )
    sigma_max: float | None = setting(10.0, above=0, optional=True)
    risk_min: float | None = setting(0.1, above=0, at_most=1, optional=True)
    risk_max: float | None = setting(10.0, at_least=1, optional=True)
    bilateral: bool = setting(False)
    attached_gate: bool = setting(False)

    def __post_init__(self):
        super().__post_init__()
        if self.sigma_max is not None and self.sigma_max < self.sigma_base:
            raise ValueError(
                f"Maspo.sigma_max must be at least sigma_base = {self.sigma_base}, "
                f"got {self.sigma_max}"
            )

    def inverse_sigma(self, old_log_prob: torch.Tensor, advantages: torch.Tensor) -> torch.Tensor:
        """Return 1 / sigma, sigma_pos where A > 0 and sigma_neg elsewhere; any one shape.

        The inverse is at most 1 / (sigma_base risk_min) and falls to 0 as the old probability
        does: nothing overflows, and a width beyond the number format is a gate of 1.
        """
        mass = (self.alpha * old_log_prob).exp() / self.sigma_base
        if self.sigma_max is not None:
            mass = mass.clamp(min=1 / self.sigma_max)
        rise = 1 + self.beta_high * advantages.clamp(min=0)
        fall = 1 - self.beta_low * advantages.clamp(max=0)
        risk = fall / rise
        if self.risk_min is not None or self.risk_max is not None:
            risk = risk.clamp(
                min=None if self.risk_max is None else 1 / self.risk_max,
                max=None if self.risk_min is None else 1 / self.risk_min,
            )
        return mass * risk

    def deviation(self, tokens: Tokens) -> torch.Tensor:
        """Return the distance that the width is compared with, with the sign of rho - 1; (B, T)."""
        return (tokens.ratio if self.attached_gate else tokens.ratio.detach()) - 1

    def surrogate(self, tokens: Tokens) -> Surrogate:
        advantages = tokens.advantages
        inverse = self.inverse_sigma(tokens.old_log_prob, advantages)
        deviation = self.deviation(tokens) * advantages.sign()
        if not self.bilateral:
            deviation = deviation.clamp(min=0)
        gate = (-0.5 * (deviation * inverse).square()).exp()
        values = gate * tokens.ratio * advantages
        weight = gate.detach()
        if self.attached_gate:  # s = w rho A, so (ds / drho) / A = w + rho w'
            slope = deviation.detach() * advantages.sign() * inverse.square()
            weight = weight * (1 - tokens.ratio.detach() * slope)
        sigma = masked_mean(1 / inverse.clamp(min=torch.finfo(inverse.dtype).tiny), tokens.mask)
        return Surrogate(values, weight, {"sigma_mean": sigma})
