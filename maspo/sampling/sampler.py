"""What every sampler offers."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class SamplingSettings:
    """Temperature, nucleus and length of the completions to draw.

    `log_probs` and `entropies` ask for the sampler's own, where it gives them; an evaluation does
    not use them.
    """

    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    log_probs: bool = True
    entropies: bool = False


@dataclass(frozen=True)
class Completion:
    """One drawn completion.

    `tokens` ends with the end token unless the length limit cut it; `text` has no special tokens.
    `log_probs` are the sampler's own, of each token, where it gives them, and `entropies` (nats)
    those of softmax(logits / temperature) that each token was drawn from. A request that failed
    has no tokens and says why in `error`.
    """

    tokens: tuple[int, ...]
    text: str
    log_probs: Sequence[float] | None = None  # float32
    entropies: Sequence[float] | None = None  # float32
    error: str | None = None


class Sampler(Protocol):
    """Draws one completion for each prompt, each from a seed of its own."""

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        settings: SamplingSettings,
    ) -> list[Completion]:
        """Return the completions in the order of the prompts (token ids)."""
        ...
