"""GRPO: the hard-clipping baseline of the paper."""

from dataclasses import dataclass

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import clip_surrogate


@register("grpo")
@dataclass(frozen=True, kw_only=True)
class Grpo(Objective):
    """Group Relative Policy Optimization.

        s = min(rho A, clip(rho, 1 - clip_low, 1 + clip_high) A);  for A < 0: s >= dual_clip A

    `clip_low` and `clip_high` are distances from 1; `dual_clip` is a ratio, None switches it off.
    Reference: Shao et al., arXiv 2402.03300, equation 3 (without its KL term: coefficient 0 in
    the MASPO paper). Aggregation and dual clip follow the framework of the released code.
    """

    clip_low: float = setting(0.2, above=0, at_most=1)
    clip_high: float = setting(0.2, above=0)
    dual_clip: float | None = setting(3.0, above=1, optional=True)

    def surrogate(self, tokens: Tokens) -> Surrogate:
        return Surrogate(
            *clip_surrogate(
                tokens.ratio,
                tokens.advantages,
                1 - self.clip_low,
                1 + self.clip_high,
                self.dual_clip,
            )
        )
