"""CISPO: the clipped ratio as a constant weight of the policy gradient."""

from dataclasses import dataclass

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting


@register("cispo")
@dataclass(frozen=True, kw_only=True)
class Cispo(Objective):
    """Clipped importance-sampling-weight Policy Optimization.

        s = clip(rho, 1 - clip_low, 1 + clip_high) A log pi, the clipped ratio detached

    No token loses its gradient. Its weight is clip(rho) / rho: a token beyond the upper bound
    pulls as hard as one at the bound. `clip_low` None means no lower bound.
    Reference: MiniMax, arXiv 2506.13585, equations 4 and 5 (its lower bound is switched off; the
    value of the upper one is not published).
    """

    clip_low: float | None = setting(None, above=0, at_most=1, optional=True)
    clip_high: float = setting(4.0, above=0)

    def surrogate(self, tokens: Tokens) -> Surrogate:
        ratio = tokens.ratio.detach()
        low = 0.0 if self.clip_low is None else 1 - self.clip_low
        clipped = ratio.clamp(low, 1 + self.clip_high)
        return Surrogate(clipped * tokens.advantages * tokens.log_prob, clipped / ratio)
