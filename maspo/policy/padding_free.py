"""A batch as one row of tokens: no padding, and a prompt that neighbours share only once.

The layers of a transformer but one treat every token alone, so they need not know which sequence a
token belongs to. The one is attention. There, and only there, the sequences are laid out as a
padded batch again, through transformers' interface for attention functions.
"""

from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import scaled_dot_product_attention
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from maspo.errors import ConfigError
from maspo.policy.gather import Gather

NAME = "padding_free"  # of the attention function, for transformers
OTHER_ATTENTION = ("sliding_window", "softcap", "s_aux")  # arguments that change what is attended


@dataclass(frozen=True)
class TokenRow:
    """N tokens of B sequences, of which the longest has L.

    `input_ids` and `position_ids` are (1, N). `spread` lays the row out as sequences, (B * L, ...),
    with the row's first token behind their ends; `collect` is the way back. `where` (B, W), on the
    CPU, is where in the row each token of the padded batch stands.
    """

    input_ids: Tensor
    position_ids: Tensor
    spread: Gather
    collect: Gather
    shape: tuple[int, int]  # B, L
    where: Tensor

    @property
    def padded(self) -> Tensor:
        """Where in the row each token of each sequence stands, (B, L)."""
        return self.spread.index.view(self.shape)

    def to(self, device: torch.device | str) -> "TokenRow":
        """Return the same row for a policy on a device."""
        return replace(
            self,
            input_ids=self.input_ids.to(device),
            position_ids=self.position_ids.to(device),
            spread=self.spread.to(device),
            collect=self.collect.to(device),
        )

    def inputs(self) -> dict[str, Any]:
        """Return the arguments of a policy's forward pass, after `use_padding_free`."""
        return {
            "input_ids": self.input_ids,
            "position_ids": self.position_ids,
            # transformers makes no mask of its own where one of four dimensions is given.
            "attention_mask": self.padded[None, None],
            "row": self,
            "use_cache": False,
        }


def token_row(
    input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor, prompt_columns: int
) -> TokenRow:
    """Return the row of a padded batch, all on the CPU: a GPU would be waited for at each step.

    The arguments are (B, W), with prompts padded on the left in the first `prompt_columns` columns
    and completions padded on the right in the others. A prompt that equals the one above it is left
    out of the row.
    """
    rows, width = input_ids.shape
    prompts = attention_mask[:, :prompt_columns] * (input_ids[:, :prompt_columns] + 1)
    repeated = torch.zeros(rows, dtype=torch.bool)
    repeated[1:] = (prompts[1:] == prompts[:-1]).all(1)
    owner = torch.arange(rows).masked_fill(repeated, 0).cummax(0).values  # whose prompt is read
    kept = attention_mask.bool()
    kept[:, :prompt_columns] &= ~repeated[:, None]
    where = (kept.flatten().cumsum(0) - 1).view(rows, width)
    where[:, :prompt_columns] = where[owner, :prompt_columns]
    start = prompt_columns - attention_mask[:, :prompt_columns].sum(1)
    lengths = attention_mask.sum(1)
    columns = torch.arange(int(lengths.max()))
    padded = where.gather(1, (start[:, None] + columns).clamp(max=width - 1))
    real = columns < lengths[:, None]
    sequence, column = kept.nonzero().unbind(1)
    place = sequence * len(columns) + column - start[sequence]
    # What stands behind the end of a sequence is read by no token, so it has no gradient.
    spread = Gather.of(padded.masked_fill(~real, 0).flatten(), len(place), real.flatten())
    collect = Gather.of(place, padded.numel())
    ids, positions = input_ids[kept][None], position_ids[kept][None]
    return TokenRow(ids, positions, spread, collect, (rows, len(columns)), where)


def use_padding_free(policy: PreTrainedModel) -> None:
    """Let a policy take a `TokenRow` as the argument `row`; without one it attends as with sdpa."""
    if policy.config._attn_implementation != NAME:
        policy.set_attn_implementation(NAME)


def attend(
    module: torch.nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    row: TokenRow | None = None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[Tensor, None]:
    """Attend causally within each sequence of the row.

    `query` is (1, heads, N, size), `key` and `value` are (1, key heads, N, size); the result is
    (1, N, heads, size). See transformers' `AttentionInterface` for the arguments.

    Raises:
        ConfigError: the layer's attention is not plain causal attention.
    """
    if row is None:
        return sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout, scaling, **others
        )
    if found := [name for name in OTHER_ATTENTION if others.get(name) is not None]:
        raise ConfigError(
            f"{type(module).__name__} attends with {found}, and policies are scored with plain "
            "causal attention only: use a model of full attention, such as Qwen2"
        )
    query, key, value = (_batch(states, row) for states in (query, key, value))
    attended = scaled_dot_product_attention(
        query,
        key,
        value,
        dropout_p=dropout,
        is_causal=True,
        scale=scaling,
        enable_gqa=query.shape[1] != key.shape[1],
    )
    return row.collect(attended.transpose(1, 2).flatten(0, 1))[None], None


def _batch(states: Tensor, row: TokenRow) -> Tensor:
    """The states of a row, (1, heads, N, size), as a batch, (B, heads, L, size)."""
    rows = row.spread(states[0].transpose(0, 1))
    return rows.unflatten(0, row.shape).transpose(1, 2)


AttentionInterface.register(NAME, attend)
AttentionMaskInterface.register(NAME, sdpa_mask)  # of calls without a row
