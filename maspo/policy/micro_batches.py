"""A batch scored a part at a time, so that memory is needed for one part only."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn.functional import pad
from torch.utils.checkpoint import checkpoint

from maspo.policy.log_probs import PaddedBatch

Scores = tuple[Tensor, Tensor | None]


def cut(batch: PaddedBatch, tokens: int) -> list[Tensor]:
    """Return the rows of each micro-batch: at most so many padded tokens, rows sorted by length.

    A row that is longer by itself gets a micro-batch of its own.
    """
    lengths = torch.stack([batch.prompt_lengths, batch.mask.sum(1)], dim=1).tolist()
    order = sorted(range(len(lengths)), key=lambda row: (sum(lengths[row]), *lengths[row]))
    parts: list[list[int]] = []
    width = length = 0
    for row in order:
        prompt, completion = lengths[row][0], max(1, lengths[row][1])  # as `PaddedBatch.take` pads
        width, length = max(width, prompt), max(length, completion)
        if not parts or (len(parts[-1]) + 1) * (width + length) > tokens:
            parts.append([])
            width, length = prompt, completion
        parts[-1].append(row)
    return [torch.tensor(part) for part in parts]


def micro_batched(
    score: Callable[[PaddedBatch], Scores], batch: PaddedBatch, tokens: int | None
) -> Scores:
    """Return `score(batch)`, computed in micro-batches of at most `tokens` padded tokens.

    `score` returns log-probabilities and entropies, (B, T), as `token_log_probs` does; both are
    zero in columns that a micro-batch does not reach. With `tokens` null it is called once.

    The objective then sees the log-probabilities of the whole mini-batch, so its loss and its
    gradients are those of the unsplit one for every method: also where settings are searched over
    the batch (bapo), and whatever the aggregation. The graph of a micro-batch is not kept but made
    again when the backward pass reaches it, one at a time. That costs one more forward pass;
    weighting the losses of micro-batches would save it, but is exact for some objectives only.
    """
    parts = [] if tokens is None else cut(batch, tokens)
    if len(parts) < 2:
        return score(batch)
    scores = [
        checkpoint(score, batch.take(rows), use_reentrant=False, preserve_rng_state=False)
        for rows in parts
    ]
    places = torch.cat(parts).argsort().to(batch.device)
    length = batch.mask.shape[1]
    log_prob, entropy = (
        None if None in values else torch.cat([pad(v, (0, length - v.shape[1])) for v in values])
        for values in map(list, zip(*scores, strict=True))
    )
    return log_prob[places], None if entropy is None else entropy[places]
