"""BAPO: clipping bounds searched per batch until positive tokens carry their share of the loss."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import torch

from maspo.objectives.base import Objective, Surrogate, Tokens, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import clip_surrogate


@register("bapo")
@dataclass(frozen=True, kw_only=True)
class Bapo(Objective):
    """Balanced Policy Optimization with adaptive clipping.

    GRPO's surrogate with bounds (ratios, not distances from 1) found for each batch: first the
    lower bound rises from `clip_low_start` to `clip_low_end`, then the upper one from
    `clip_high_start` to `clip_high_end`, in steps of `step`, until

        sum_{A>0} min(rho, high) A  /  sum_{A<0} max(rho, low) |A|  >=  target

    The search sees the batch of the call. Under micro-batching that is one micro-batch, as in the
    released code: search once on the mini-batch with `search` and fix its bounds with
    `dataclasses.replace` where the exact mini-batch gradient is wanted.
    Reference: Xi et al., arXiv 2510.18927, and its released code `recipe/bapo/policy_loss.py`;
    a target of 1 is the publication's positive share of 0.5.
    """

    target: float = setting(1.0, above=0)
    clip_low_start: float = setting(0.6, at_least=0, below=1)
    clip_low_end: float = setting(0.9, at_least=0, below=1)
    clip_high_start: float = setting(1.2, above=1)
    clip_high_end: float = setting(3.0, above=1)
    step: float = setting(0.05, above=0)
    dual_clip: float | None = setting(3.0, above=1, optional=True)

    def __post_init__(self):
        super().__post_init__()
        for side in ("clip_low", "clip_high"):
            start, end = getattr(self, f"{side}_start"), getattr(self, f"{side}_end")
            if start > end:
                raise ValueError(
                    f"Bapo.{side}_start must be at most {side}_end = {end}, got {start}"
                )

    def search(self, tokens: Tokens) -> tuple[float, float, float]:
        """Return the lower and upper bound, and the positive share of the contributions there.

        The share is positive / (positive + negative), 1 where no token has a negative advantage.
        """
        ratio, advantages = tokens.ratio.detach().flatten(), tokens.advantages.flatten()
        gain, cost = advantages.clamp(min=0), (-advantages).clamp(min=0)

        def contributions(bounds: list[tuple[float, float]]) -> list[list[float]]:
            gained = {high: ratio.clamp(max=high).dot(gain) for _, high in bounds}
            lost = {low: ratio.clamp(min=low).dot(cost) for low, _ in bounds}
            return torch.stack(
                [torch.stack((gained[high], lost[low])) for low, high in bounds]
            ).tolist()

        lows = _steps(self.clip_low_start, self.clip_low_end, self.step)
        highs = _steps(self.clip_high_start, self.clip_high_end, self.step)
        for bounds in ([(low, highs[0]) for low in lows], [(lows[-1], high) for high in highs]):
            for (low, high), (gained, lost) in zip(bounds, contributions(bounds), strict=True):
                if gained >= self.target * lost:
                    return low, high, gained / (gained + lost) if lost > 0 else 1.0
        return low, high, gained / (gained + lost)

    def surrogate(self, tokens: Tokens) -> Surrogate:
        low, high, share = self.search(tokens)
        values, weight = clip_surrogate(tokens.ratio, tokens.advantages, low, high, self.dual_clip)
        metrics = {"clip_low": low, "clip_high": high, "positive_share": share}
        return Surrogate(values, weight, metrics)


def _steps(start: float, end: float, step: float) -> list[float]:
    count = ceil((end - start) / step - 1e-9)
    return [min(start + index * step, end) for index in range(count + 1)]
