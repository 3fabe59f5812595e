"""One token a row after the other: what a policy says next, with the keys and values it keeps."""

from typing import Protocol

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel


class Decoder(Protocol):
    """Holds the keys and values of a batch of sequences of one policy.

    The policy's weights must stay as they are while a decoder is in use.
    """

    def read(self, ids: Tensor, mask: Tensor, owner: Tensor, room: int) -> Tensor:
        """Read P prompts of W columns, padded on the left, and begin the B rows of the batch.

        Args:
            ids, mask: (P, W) token ids, and 1 where there is a token, 0 on padding.
            owner: (B,) the prompt of each row. A prompt is read once, however many rows it has.
            room: at most so many tokens will be added to a row.

        Returns:
            The logits behind the prompt of each row, (B, V).
        """
        ...

    def step(self, tokens: Tensor) -> Tensor:
        """Add a token to each row, (B,), and return the logits behind it, (B, V)."""
        ...

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows only (indices)."""
        ...


class TransformersDecoder:
    """A `Decoder` that calls the policy itself: any causal model of transformers."""

    def __init__(self, policy: PreTrainedModel) -> None:
        self.policy = policy

    def read(self, ids: Tensor, mask: Tensor, owner: Tensor, room: int) -> Tensor:
        """See `Decoder.read`."""
        self.cache = DynamicCache(config=self.policy.config)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        logits = self._logits(ids, mask, positions)
        self.cache.batch_select_indices(owner)
        self.mask, self.positions = mask[owner], positions[owner, -1:]
        return logits[owner]

    def step(self, tokens: Tensor) -> Tensor:
        """See `Decoder.step`."""
        self.positions = self.positions + 1
        self.mask = torch.cat([self.mask, self.mask.new_ones(len(self.mask), 1)], dim=1)
        mask = self.mask
        if not any(self.cache.is_sliding):
            mask = mask[:, None, None].bool()  # what transformers would make of it, at a price
        return self._logits(tokens[:, None], mask, self.positions)

    def keep(self, rows: Tensor) -> None:
        """See `Decoder.keep`."""
        self.cache.batch_select_indices(rows)
        self.mask, self.positions = self.mask[rows], self.positions[rows]

    def _logits(self, ids: Tensor, mask: Tensor, positions: Tensor) -> Tensor:
        output = self.policy(
            input_ids=ids,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=self.cache,
            logits_to_keep=1,
            use_cache=True,
        )
        return output.logits[:, -1]
