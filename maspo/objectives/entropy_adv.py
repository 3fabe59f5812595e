"""Entropy advantage: GRPO on advantages raised where the policy is uncertain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from maspo.objectives.base import Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.grpo import Grpo
from maspo.objectives.primitives import clip_surrogate, masked_mean


@register("entropy_adv")
@dataclass(frozen=True, kw_only=True)
class EntropyAdv(Grpo):
    """GRPO's surrogate on shaped advantages.

        A' = A + min(alpha H, |A| / kappa),  H the token's entropy (nats), detached

    kappa > 1 keeps the sign of A. The gradient weight is A' / A inside the clip, 0 outside.
    Reference: Cheng et al., arXiv 2506.14758, alpha 0.4 for GRPO and kappa 2 (both assumed:
    from memory, not checked against the publication).
    """

    alpha: float = setting(0.4, at_least=0)
    kappa: float = setting(2.0, above=1, why="else the bonus may turn the sign of an advantage")

    needs_entropy: ClassVar[bool] = True

    def surrogate(self, tokens: Tokens) -> Surrogate:
        advantages = tokens.advantages
        bonus = torch.minimum(self.alpha * tokens.entropy, advantages.abs() / self.kappa)
        shaped = advantages + bonus
        values, gate = clip_surrogate(
            tokens.ratio, shaped, 1 - self.clip_low, 1 + self.clip_high, self.dual_clip
        )
        weight = gate * shaped / advantages
        return Surrogate(values, weight, {"bonus_mean": masked_mean(bonus, tokens.mask)})
