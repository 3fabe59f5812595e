"""DGPO: GRPO's region with a continuous decay outside it, by the authors of MASPO."""

from dataclasses import dataclass
from math import log

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import choose, overshoot


@register("dgpo")
@dataclass(frozen=True, kw_only=True)
class Dgpo(Objective):
    """Decoupled Gradient Policy Optimization.

        s = w rho A, w detached
        w = (rho / low)^n         where A < 0 and rho < low  = 1 - clip_low
        w = (high / rho)^(1 / m)  where A > 0 and rho > high = 1 + clip_high
        w = 1                     elsewhere

    Written for the gradient of pi instead of log pi, the weights are the publication's
    C_left pi^n and C_right pi^(-1/m); the constants make w continuous at the bounds.
    Reference: Fu et al., arXiv 2603.14389; released code FlyTune/DGPO-RL.
    """

    clip_low: float = setting(0.2, above=0, below=1)
    clip_high: float = setting(0.2, above=0)
    n: float = setting(1, above=0)
    m: float = setting(2, above=0)

    def surrogate(self, tokens: Tokens) -> Surrogate:
        positive = tokens.advantages > 0
        bound = choose(positive, log(1 + self.clip_high), log(1 - self.clip_low), like=tokens.ratio)
        rate = choose(positive, 1 / self.m, self.n, like=tokens.ratio)
        excess = overshoot(tokens.log_ratio.detach() - bound, tokens.advantages)
        weight = (-rate * excess).exp()
        return Surrogate(weight * tokens.ratio * tokens.advantages, weight)
