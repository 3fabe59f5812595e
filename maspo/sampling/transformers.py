"""Sampling from a policy of transformers in this process, with a seed for each completion."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from maspo.policy import end_tokens, pad_batch
from maspo.sampling.decoder import Decoder, TransformersDecoder
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


def entropy(logits: Tensor, temperature: float) -> Tensor:
    """Return the entropy (nats) of softmax(logits / temperature), (B,), from logits (B, V)."""
    log_probs = torch.log_softmax(logits.float() / temperature, dim=-1)
    return -(log_probs.exp() * log_probs).sum(-1)


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
        self,
        policy: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        batch_size: int,
        decoder: Callable[[PreTrainedModel], Decoder] = TransformersDecoder,
        entropies: bool = False,  # give them where they are asked for
    ) -> None:
        self.policy, self.tokenizer, self.batch_size = policy, tokenizer, batch_size
        self.decoder, self.entropies = decoder, entropies

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        settings: SamplingSettings,
    ) -> list[Completion]:
        """See `Sampler.sample`. Batches are made of prompts of similar length."""
        order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
        drawn: dict[int, tuple[list[int], list[float] | None]] = {}
        for start in range(0, len(order), self.batch_size):
            rows = order[start : start + self.batch_size]
            parts = self._decode([prompts[i] for i in rows], [seeds[i] for i in rows], settings)
            drawn.update(zip(rows, parts, strict=True))
        in_order = [drawn[i] for i in range(len(prompts))]
        texts = self.tokenizer.batch_decode(
            [tokens for tokens, _ in in_order], skip_special_tokens=True
        )
        return [
            Completion(tuple(tokens), text, entropies=entropies)
            for (tokens, entropies), text in zip(in_order, texts, strict=True)
        ]

    @torch.inference_mode()
    def _decode(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        settings: SamplingSettings,
    ) -> list[tuple[list[int], list[float] | None]]:
        """Return tokens and, if asked, entropies of each completion, decoding all rows at once.

        `transformers.generate` would decode finished rows until the last one ends; here they
        leave the batch.
        """
        device, eos = self.policy.device, self.tokenizer.eos_token_id
        ends = end_tokens(self.policy, self.tokenizer)
        end_ids = torch.tensor(ends, device=device)
        distinct = {prompt: i for i, prompt in enumerate(dict.fromkeys(map(tuple, prompts)))}
        owner = torch.tensor([distinct[tuple(prompt)] for prompt in prompts], device=device)
        batch = pad_batch(list(distinct), [[]] * len(distinct), self.tokenizer.pad_token_id)
        width = max(map(len, distinct))
        ids, mask = (x[:, :width].to(device) for x in (batch.input_ids, batch.attention_mask))
        points = uniforms(seeds, settings.max_tokens).to(device)
        decoder = self.decoder(self.policy)
        logits = decoder.read(ids, mask, owner, settings.max_tokens)
        rows = torch.arange(len(prompts), device=device)
        tokens = torch.full((len(prompts), settings.max_tokens), eos, device=device)
        entropies = (
            torch.zeros(tokens.shape, device=device)
            if self.entropies and settings.entropies
            else None
        )
        going = torch.ones(len(prompts), dtype=torch.bool, device=device)
        for step in range(settings.max_tokens):
            drawn = torch.where(going, draw(logits, points[rows, step], settings), eos)
            tokens[rows, step] = drawn
            if entropies is not None:
                entropies[rows, step] = entropy(logits, settings.temperature)
            going &= ~torch.isin(drawn, end_ids)
            left = int(going.sum())
            if left == 0 or step + 1 == settings.max_tokens:
                break
            if left <= DROP_AT * len(going):
                kept = going.nonzero().squeeze(1)
                decoder.keep(kept)
                rows, drawn, going = rows[kept], drawn[kept], going[kept]
            logits = decoder.step(drawn)
        cut = [_until(row, ends) for row in tokens.tolist()]
        if entropies is None:
            return [(row, None) for row in cut]
        values = entropies.tolist()
        return [(row, value[: len(row)]) for row, value in zip(cut, values, strict=True)]


def _until(tokens: list[int], ends: Sequence[int]) -> list[int]:
    """Cut what stands behind the first end token, and keep that token."""
    first = next((i for i, token in enumerate(tokens) if token in ends), len(tokens))
    return tokens[: first + 1]
