"""Sampling with `generate` of transformers, with a seed for each completion."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    TemperatureLogitsWarper,
    TopPLogitsWarper,
)

from maspo.policy import pack
from maspo.sampling.sampler import Completion, SamplingSettings


class SeededDraw(LogitsProcessor):
    """Turn `generate`'s argmax into a draw from uniforms that were fixed beforehand.

    The draw inverts the cumulative distribution, one uniform a token. So a completion depends on
    its own seed only, neither on a global generator nor on its neighbours in the batch (up to the
    rounding of the model's own arithmetic).
    """

    def __init__(self, uniforms: Tensor) -> None:
        self.uniforms = uniforms  # (B, max_tokens) in [0, 1)
        self.step = 0

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        """Return scores (B, V) that are 0 at the drawn token and -inf elsewhere."""
        cumulative = torch.softmax(scores.float(), dim=-1).cumsum(-1)
        points = self.uniforms[:, self.step : self.step + 1] * cumulative[:, -1:]
        token = torch.searchsorted(cumulative, points, right=True)
        self.step += 1
        return torch.full_like(scores, -torch.inf).scatter_(1, token, 0.0)


def uniforms(seeds: Sequence[int], length: int) -> Tensor:
    """Return a (len(seeds), length) float32 tensor of uniforms in [0, 1), a row from each seed."""
    rows = [np.random.Generator(np.random.Philox(s)).random(length, np.float32) for s in seeds]
    return torch.from_numpy(np.stack(rows))


class TransformersSampler:
    """A `Sampler` over a policy held in this process; it always draws from its current weights."""

    def __init__(
        self, policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, batch_size: int
    ) -> None:
        self.policy, self.tokenizer, self.batch_size = policy, tokenizer, batch_size

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        settings: SamplingSettings,
    ) -> list[Completion]:
        """See `Sampler.sample`. Batches are made of prompts of similar length."""
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        drawn: dict[int, list[int]] = {}
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            tokens = self._generate([prompts[i] for i in rows], [seeds[i] for i in rows], settings)
            drawn.update(zip(rows, tokens, strict=True))
        texts = self.tokenizer.batch_decode(
            [drawn[i] for i in range(len(prompts))], skip_special_tokens=True
        )
        return [Completion(tuple(drawn[i]), text) for i, text in enumerate(texts)]

    @torch.inference_mode()
    def _generate(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        settings: SamplingSettings,
    ) -> list[list[int]]:
        eos, pad = self.tokenizer.eos_token_id, self.tokenizer.pad_token_id
        device = self.policy.device
        batch = pack(prompts, [[]] * len(prompts), pad, device)
        width = max(map(len, prompts))
        processors = LogitsProcessorList([TemperatureLogitsWarper(settings.temperature)])
        if settings.top_p < 1:
            processors.append(TopPLogitsWarper(settings.top_p))
        processors.append(SeededDraw(uniforms(seeds, settings.max_tokens).to(device)))
        output = self.policy.generate(
            batch.input_ids[:, :width],
            attention_mask=batch.attention_mask[:, :width],
            generation_config=GenerationConfig(
                do_sample=False,  # SeededDraw has drawn already: argmax picks its token
                max_new_tokens=settings.max_tokens,
                eos_token_id=eos,
                pad_token_id=pad,
            ),
            logits_processor=processors,
        )
        return [_until(row, eos) for row in output[:, width:].tolist()]


def _until(tokens: list[int], eos: int) -> list[int]:
    """Cut the padding behind the first end token, and keep that token."""
    return tokens[: tokens.index(eos) + 1] if eos in tokens else tokens
