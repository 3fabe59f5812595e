"""Log-probability and entropy of every completion token under a policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from transformers import PreTrainedModel

from maspo.errors import ConfigError
from maspo.policy.chunked import chunked_log_probs
from maspo.policy.gather import Gather
from maspo.policy.padding_free import TokenRow, token_row, use_padding_free


@dataclass(frozen=True)
class PaddedBatch:
    """B sequences as one padded batch: prompts padded on the left, completions on the right.

    So every completion starts in the same column. Shapes: `input_ids`, `attention_mask` and
    `position_ids` (B, P + T), `mask` (B, T), true on completion tokens. All of them are on the CPU,
    where indices are made of them; `device` is the policy's.
    """

    input_ids: Tensor
    attention_mask: Tensor
    position_ids: Tensor
    mask: Tensor
    device: torch.device | str = "cpu"

    @property
    def prompt_columns(self) -> int:
        """P, the length of the longest prompt."""
        return self.input_ids.shape[1] - self.mask.shape[1]

    @property
    def completions(self) -> Tensor:
        """The completion columns of `input_ids`, (B, T)."""
        return self.input_ids[:, self.prompt_columns :]

    @property
    def prompt_lengths(self) -> Tensor:
        """Tokens of each prompt, (B,)."""
        return self.attention_mask[:, : self.prompt_columns].sum(1)

    @cached_property
    def row(self) -> TokenRow:
        """The batch as the policy reads it, on its device."""
        row = token_row(self.input_ids, self.attention_mask, self.position_ids, self.prompt_columns)
        return row.to(self.device)

    @cached_property
    def valid(self) -> Tensor:
        """`mask` on the policy's device."""
        return self.mask.to(self.device)

    def take(self, rows: Tensor) -> "PaddedBatch":
        """Return these rows, padded to the longest of them, no further."""
        first = self.prompt_columns
        length = max(1, int(self.mask[rows].sum(1).max()))
        columns = slice(first - int(self.prompt_lengths[rows].max()), first + length)
        whole = (self.input_ids, self.attention_mask, self.position_ids)
        fields = (field[rows, columns] for field in whole)
        return PaddedBatch(*fields, self.mask[rows, :length], self.device)


def pad_batch(
    prompts: Sequence[Sequence[int]],
    completions: Sequence[Sequence[int]],
    pad_id: int,
    device: torch.device | str = "cpu",
) -> PaddedBatch:
    """Pad prompts and completions to the longest of this batch, no further."""
    width = max(map(len, prompts))
    length = max(1, max(map(len, completions)))
    ids = torch.full((len(prompts), width + length), pad_id)
    attention = torch.zeros_like(ids)
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        columns = slice(width - len(prompt), width + len(completion))
        ids[row, columns] = torch.tensor([*prompt, *completion])
        attention[row, columns] = 1
    positions = (attention.cumsum(1) - 1).clamp(min=0)
    mask = attention[:, width:].bool()
    return PaddedBatch(ids, attention, positions, mask, device)


def token_log_probs(
    policy: PreTrainedModel,
    batch: PaddedBatch,
    temperature: float = 1.0,
    entropy: bool = False,
    chunk: int | None = None,
    precision: str = "float32",
) -> tuple[Tensor, Tensor | None]:
    """Return the log-probability of each completion token and, if asked, the entropy.

    Both are (B, T) float32, of the distribution softmax(logits / temperature) that the token was
    drawn from; both are 0 outside the mask. The entropy (nats) carries no gradient. The policy
    reads no padding, and a prompt that neighbours share only once (`maspo.policy.padding_free`).

    Without `chunk` the logits are one (tokens, vocabulary) tensor. With it they are computed for so
    many vocabulary entries at a time (`maspo.policy.chunked`), from the last hidden state and the
    weight of the head; this needs far less memory where the vocabulary is large.

    `precision` bfloat16 runs the matrix products of the layers in bfloat16 (torch's autocast);
    weights and their gradients stay float32, and so do the head and all that follows it.

    Raises:
        ConfigError: `chunk` for a policy whose logits are not hidden state times weight, or a
            policy whose attention is not plain causal attention.
        ValueError: bfloat16 without `chunk`, which would round the logits.
    """
    if precision != "float32" and chunk is None:
        raise ValueError(f"precision {precision!r} needs a chunk: logits are made in float32")
    use_padding_free(policy)
    row = batch.row
    # A completion token's distribution comes from the token before it.
    before = row.where[:, batch.prompt_columns - 1 : -1][batch.mask]
    tokens = batch.completions[batch.mask]
    if chunk is not None:
        weight = _head_weight(policy)
        # A context of its own for each pass: autocast keeps its bfloat16 copies of the weights
        # until it ends, and copies made without a gradient must not serve a pass that needs one.
        with torch.autocast(policy.device.type, torch.bfloat16, enabled=precision == "bfloat16"):
            states = policy.base_model(**row.inputs()).last_hidden_state
        hidden = Gather.of(before, states.shape[1]).to(batch.device)(states[0])
        values = chunked_log_probs(hidden, weight, tokens, chunk, temperature, entropy)
    else:
        logits = policy(**row.inputs(), logits_to_keep=before.to(batch.device)).logits[0]
        values = naive_log_probs(logits, tokens.to(batch.device), temperature, entropy)
    return tuple(None if value is None else _scatter(value, batch.mask) for value in values)


def naive_log_probs(
    logits: Tensor, tokens: Tensor, temperature: float, entropy: bool
) -> tuple[Tensor, Tensor | None]:
    """Return log-probability and, if asked, entropy of N tokens, (N,), from logits (N, V).

    See `token_log_probs` and `chunked_log_probs`, which needs no logits.
    """
    distribution = torch.log_softmax(logits.float() / temperature, dim=-1)
    log_prob = distribution.gather(-1, tokens[:, None]).squeeze(-1)
    if not entropy:
        return log_prob, None
    detached = distribution.detach()
    return log_prob, -(detached.exp() * detached).sum(-1)


def _head_weight(policy: PreTrainedModel) -> Tensor:
    """The (V, H) weight that alone makes the logits of the last hidden state."""
    head = policy.get_output_embeddings()
    if head.bias is not None or getattr(policy.config, "final_logit_softcapping", None):
        raise ConfigError(
            f"{type(policy).__name__} has a bias or a soft cap on its logits, which chunked "
            "log-probabilities leave out: set train.logits_chunk=null"
        )
    return head.weight


def _scatter(values: Tensor, mask: Tensor) -> Tensor:
    """The values in the places of the mask (on the CPU), (B, T), and zero elsewhere."""
    inside = mask.flatten()
    index = (inside.cumsum(0) - 1).masked_fill(~inside, len(values))
    full = Gather.of(index, len(values) + 1, inside).to(values.device)
    return full(torch.cat([values, values.new_zeros(1)])).view(mask.shape)
