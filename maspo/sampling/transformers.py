"""Sampling from a policy of transformers in this process, with a seed for each completion."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import (
    DynamicCache,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from maspo.policy import end_tokens, pack
from maspo.sampling.sampler import Completion, SamplingSettings

ONE = 2**52  # of probabilities as integers: a float32 of 2^-29 and above is a whole number
DROP_AT = 0.9  # finished rows leave the batch when at most this share of it is still unfinished


def uniforms(seeds: Sequence[int], length: int) -> Tensor:
    """Return a (len(seeds), length) float32 tensor of uniforms in [0, 1), a row from each seed."""
    rows = [np.random.Generator(np.random.Philox(s)).random(length, np.float32) for s in seeds]
    return torch.from_numpy(np.stack(rows))


def draw(logits: Tensor, uniform: Tensor, settings: SamplingSettings) -> Tensor:
    """Return one token id a row, (B,), from logits (B, V) and uniforms (B,) in [0, 1).

    The draw inverts the cumulative distribution. So a completion depends on its own seed only,
    neither on a global generator nor on its neighbours in the batch (up to the rounding of the
    model's own arithmetic).
    """
    scores = logits.float() / settings.temperature
    if settings.top_p < 1:
        scores = nucleus(scores, settings.top_p)
    total = cumulative(torch.softmax(scores, dim=-1))
    points = uniform[:, None].to(total.dtype if total.is_floating_point() else torch.float64)
    points = (points * total[:, -1:]).to(total.dtype)
    return torch.searchsorted(total, points, right=True).squeeze(1)


def nucleus(scores: Tensor, top_p: float) -> Tensor:
    """Return scores (B, V) with -inf for all but the fewest tokens of probability `top_p`.

    Those of transformers' `TopPLogitsWarper`, whose float sums a GPU refuses.
    """
    likeliest, order = torch.softmax(scores, dim=-1).sort(descending=True, stable=True)
    mass = fixed_point(likeliest)
    before = mass.cumsum(-1) - mass  # of the tokens that are likelier than this one
    outside = before >= round(top_p * ONE)
    return scores.masked_fill(outside.gather(-1, order.argsort(-1)), -torch.inf)


def cumulative(probabilities: Tensor) -> Tensor:
    """Return the running sums of probabilities (B, V), up to a scale of each row.

    A running sum of floats has no deterministic kernel on a GPU, and one of integers is exact in
    any order. On a CPU floats are summed one after the other.
    """
    if probabilities.device.type == "cpu":
        return probabilities.cumsum(-1)
    return fixed_point(probabilities).cumsum(-1)


def fixed_point(probabilities: Tensor) -> Tensor:
    """Return probabilities as int64 numbers of 1 / `ONE`."""
    return (probabilities.double() * ONE).round().long()


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
            tokens = self._decode([prompts[i] for i in rows], [seeds[i] for i in rows], settings)
            drawn.update(zip(rows, tokens, strict=True))
        texts = self.tokenizer.batch_decode(
            [drawn[i] for i in range(len(prompts))], skip_special_tokens=True
        )
        return [Completion(tuple(drawn[i]), text) for i, text in enumerate(texts)]

    @torch.inference_mode()
    def _decode(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        settings: SamplingSettings,
    ) -> list[list[int]]:
        """Return the tokens of each completion, decoding all rows at once.

        `transformers.generate` would decode finished rows until the last one ends; here they
        leave the batch.
        """
        device, eos = self.policy.device, self.tokenizer.eos_token_id
        ends = end_tokens(self.policy, self.tokenizer)
        end_ids = torch.tensor(ends, device=device)
        distinct = {prompt: i for i, prompt in enumerate(dict.fromkeys(map(tuple, prompts)))}
        owner = torch.tensor([distinct[tuple(prompt)] for prompt in prompts], device=device)
        batch = pack(list(distinct), [[]] * len(distinct), self.tokenizer.pad_token_id)
        width = max(map(len, distinct))
        fields = (batch.input_ids, batch.attention_mask, batch.position_ids)
        ids, mask, positions = (field[:, :width].to(device) for field in fields)
        points = uniforms(seeds, settings.max_tokens).to(device)
        cache = DynamicCache(config=self.policy.config)
        logits = self._logits(ids, mask, positions, cache)
        # A prompt is read once, however many completions it gets.
        cache.batch_select_indices(owner)
        logits, mask, positions = logits[owner], mask[owner], positions[owner, -1:]
        rows = torch.arange(len(prompts), device=device)
        tokens = torch.full((len(prompts), settings.max_tokens), eos, device=device)
        going = torch.ones(len(prompts), dtype=torch.bool, device=device)
        for step in range(settings.max_tokens):
            drawn = torch.where(going, draw(logits, points[rows, step], settings), eos)
            tokens[rows, step] = drawn
            going &= ~torch.isin(drawn, end_ids)
            left = int(going.sum())
            if left == 0 or step + 1 == settings.max_tokens:
                break
            if left <= DROP_AT * len(going):
                cache.batch_select_indices(going.nonzero().squeeze(1))
                rows, drawn, mask, positions = (x[going] for x in (rows, drawn, mask, positions))
                going = going[going]
            positions = positions + 1
            mask = torch.cat([mask, mask.new_ones(len(mask), 1)], dim=1)
            logits = self._logits(drawn[:, None], mask, positions, cache)
        return [_until(row, ends) for row in tokens.tolist()]

    def _logits(
        self, inputs: Tensor, mask: Tensor, positions: Tensor, cache: DynamicCache
    ) -> Tensor:
        """Return the logits behind the last column of `inputs`, (B, V); `cache` grows by them."""
        if inputs.shape[1] == 1 and not any(cache.is_sliding):
            mask = mask[:, None, None].bool()  # what transformers would make of it, at a price
        output = self.policy(
            input_ids=inputs,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            logits_to_keep=1,
            use_cache=True,
        )
        return output.logits[:, -1]


def _until(tokens: list[int], ends: Sequence[int]) -> list[int]:
    """Cut what stands behind the first end token, and keep that token."""
    first = next((i for i, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: first + 1]
