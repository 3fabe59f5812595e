"""Token log-probability and entropy without a (tokens, vocabulary) tensor.

With V vocabulary entries, N tokens and chunks of C entries, the logits exist as one (N, C) tile at
a time. The forward pass merges the tiles by an online log-sum-exp (Milakov and Gimelshein, 2018,
arXiv 1805.02867) and keeps only the N normalizers; the backward pass computes each tile again. The
price is one more product with the head: four in place of three.
"""

from itertools import pairwise
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


def chunked_log_probs(
    hidden: Tensor,
    weight: Tensor,
    tokens: Tensor,
    chunk: int,
    temperature: float = 1.0,
    entropy: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """Return the log-probability of each token and, if asked, the entropy of its distribution.

    The distribution is softmax(hidden @ weight.T / temperature). Both results are (N,) in float32
    (float64 for float64 inputs), and so is all arithmetic, whatever the inputs' dtype. The entropy
    (nats) carries no gradient.

    Args:
        hidden: (N, H) last hidden states.
        weight: (V, H) weight of the head; may be shared with the embedding.
        tokens: (N,) integers below V, best on the CPU.
        chunk: vocabulary entries at a time, at least 1.
        temperature: positive.
        entropy: it costs two more passes over each tile.
    """
    log_prob, entropies = _ChunkedLogProbs.apply(
        hidden, weight, tokens, chunk, temperature, entropy
    )
    return log_prob, entropies if entropy else None


class _ChunkedLogProbs(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        hidden: Tensor,
        weight: Tensor,
        tokens: Tensor,
        chunk: int,
        temperature: float,
        entropy: bool,
    ) -> tuple[Tensor, Tensor]:
        exact = _exact(hidden)
        rows, columns, cuts = _by_tile(tokens, len(weight), chunk, hidden.device)
        target = []  # logits of the tokens, tile by tile
        normalizer = torch.full_like(exact[:, 0], -torch.inf)  # log-sum-exp of the logits so far
        entropies = torch.zeros_like(normalizer)  # of the softmax over the entries so far
        for start, inside in zip(range(0, len(weight), chunk), cuts, strict=True):
            logits = _tile(exact, weight, start, chunk, temperature)
            target.append(logits[rows[inside], columns[inside]])
            top = logits.amax(1)
            logits.sub_(top[:, None])
            mass = logits.exp() if entropy else logits.exp_()
            total = mass.sum(1)
            part = top + total.log()
            merged = torch.logaddexp(normalizer, part)
            if entropy:  # of which side an entry is on, and then of the entry on its side
                part_entropies = total.log() - mass.mul_(logits).sum(1) / total
                old, new = (normalizer - merged).exp(), (part - merged).exp()
                entropies = old * entropies + new * part_entropies
                entropies += torch.special.entr(old) + torch.special.entr(new)
            normalizer = merged
            del logits, mass  # or the next tile is made beside them
        ctx.save_for_backward(hidden, weight, rows, columns, normalizer)
        ctx.chunk, ctx.temperature, ctx.cuts = chunk, temperature, cuts
        ctx.mark_non_differentiable(entropies)
        return torch.cat(target).index_select(0, rows.argsort()) - normalizer, entropies

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        hidden, weight, rows, columns, normalizer = ctx.saved_tensors
        exact = _exact(hidden)
        scale = grad / ctx.temperature
        # Where the head is frozen its gradient is not needed; the hidden states' always is then.
        hidden_grad = torch.zeros_like(exact) if ctx.needs_input_grad[0] else None
        weight_grad = torch.empty_like(weight) if ctx.needs_input_grad[1] else None
        for start, inside in zip(range(0, len(weight), ctx.chunk), ctx.cuts, strict=True):
            logits = _tile(exact, weight, start, ctx.chunk, ctx.temperature)
            # d log p(token) / d logit = [it is the token's] - softmax
            logits_grad = logits.sub_(normalizer[:, None]).exp_().mul_(-scale[:, None])
            logits_grad[rows[inside], columns[inside]] += scale[rows[inside]]
            if hidden_grad is not None:
                hidden_grad.addmm_(logits_grad, _exact(weight[start : start + ctx.chunk]))
            if weight_grad is not None:
                weight_grad[start : start + ctx.chunk] = logits_grad.T @ exact
            del logits, logits_grad
        if hidden_grad is not None:
            hidden_grad = hidden_grad.to(hidden.dtype)
        return hidden_grad, weight_grad, None, None, None, None


def _exact(tensor: Tensor) -> Tensor:
    """In float32, unless it is wider."""
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


def _tile(exact: Tensor, weight: Tensor, start: int, chunk: int, temperature: float) -> Tensor:
    """Logits of the entries from `start` on, (N, C)."""
    logits = exact @ _exact(weight[start : start + chunk]).T
    return logits if temperature == 1 else logits.div_(temperature)  # one pass over the tile less


def _by_tile(
    tokens: Tensor, vocabulary: int, chunk: int, device: torch.device
) -> tuple[Tensor, Tensor, list[slice]]:
    """Rows (N,) in the order of their tokens, the columns of these (N,), and each tile's slice.

    Found on the CPU: to ask a GPU which rows a tile has is to wait for it at every tile.
    """
    ordered, rows = tokens.cpu().sort(stable=True)
    starts = torch.arange(0, vocabulary + chunk, chunk)
    ends = torch.searchsorted(ordered, starts).tolist()
    cuts = [slice(first, last) for first, last in pairwise(ends)]
    return rows.to(device), (ordered % chunk).to(device), cuts
