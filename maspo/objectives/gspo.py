"""GSPO: GRPO's clip on the ratio of whole sequences."""

from dataclasses import dataclass

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import AGGREGATIONS, clip_surrogate


@register("gspo")
@dataclass(frozen=True, kw_only=True)
class Gspo(Objective):
    """Group Sequence Policy Optimization, in its per-token form.

        rho_i  = exp(mean_t log rho_it)
        rho_it = stop(rho_i) * pi_it / stop(pi_it)
        s      = min(rho_it A, clip(rho_it, 1 - clip_low, 1 + clip_high) A)

    With one advantage a sequence, value and gradient are those of the sequence form. The weight
    is relative to the sequence's ratio; the logged ratios are the tokens'.
    Reference: Zheng et al., arXiv 2507.18071, equation 5 and its token form (GSPO-token);
    bounds from its section 5.1.
    """

    aggregation: str = setting("seq_mean_token_mean", choices=AGGREGATIONS)
    clip_low: float = setting(3e-4, above=0, at_most=1)
    clip_high: float = setting(4e-4, above=0)

    def surrogate(self, tokens: Tokens) -> Surrogate:
        lengths = tokens.mask.sum(dim=-1, keepdim=True).clamp(min=1)
        mean = tokens.log_ratio.detach().sum(dim=-1, keepdim=True) / lengths
        ratio = (mean + tokens.log_ratio - tokens.log_ratio.detach()).exp()
        values, weight = clip_surrogate(
            ratio, tokens.advantages, 1 - self.clip_low, 1 + self.clip_high, None
        )
        return Surrogate(values, weight)
