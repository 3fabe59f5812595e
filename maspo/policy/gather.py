"""Reading rows of a tensor by index, where the backward pass reads too.

torch's own backward pass of `index_select` adds into the rows that were read. On a GPU under
deterministic algorithms that becomes a sort of all indices and, where a row was read often, one
addition after the other. Who reads what is known beforehand here, and on the CPU, so the gradient
of a row is read from where it was read to, and only rows that are read again are added.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable


@dataclass(frozen=True)
class Gather:
    """Rows of a source (N, ...) as a result (M, ...), of which some may not count.

    `index` (M,) says which row of the source each row of the result is; `first` (N,) the first row
    of the result that reads each row of the source, if one that counts does: elsewhere `unread`,
    (N,) bool, is true. `again` are pairs of (rows of the source, rows of the result) that read a
    second time, a third time and so on; within a pair no row comes twice.
    """

    index: Tensor
    first: Tensor
    unread: Tensor | None
    again: tuple[tuple[Tensor, Tensor], ...]

    @classmethod
    def of(cls, index: Tensor, rows: int, counted: Tensor | None = None) -> "Gather":
        """Return the gather of `index` from so many rows; all tensors on the CPU.

        Rows of the result that are not `counted`, (M,) bool, must have a gradient of 0.
        """
        places = torch.arange(len(index)) if counted is None else counted.nonzero()[:, 0]
        read, order = index[places].sort(stable=True)
        places = places[order]
        turn = torch.arange(len(read)) - torch.searchsorted(read, read)
        first = torch.zeros(rows, dtype=torch.long)
        unread = torch.ones(rows, dtype=torch.bool)
        first[read[turn == 0]] = places[turn == 0]
        unread[read] = False
        turns = range(1, int(turn.max()) + 1 if len(turn) else 1)
        again = tuple((read[turn == t], places[turn == t]) for t in turns)
        return cls(index, first, unread if unread.any() else None, again)

    def to(self, device: torch.device | str) -> "Gather":
        """Return the same on a device."""
        if self.index.device == torch.device(device):
            return self
        move = [(rows.to(device), places.to(device)) for rows, places in self.again]
        unread = None if self.unread is None else self.unread.to(device)
        return Gather(self.index.to(device), self.first.to(device), unread, tuple(move))

    def __call__(self, source: Tensor) -> Tensor:
        """Return the rows of a source on the same device."""
        return _Rows.apply(source, self)


class _Rows(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, source: Tensor, gather: Gather) -> Tensor:
        ctx.gather = gather
        return source.index_select(0, gather.index)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        gather = ctx.gather
        if not len(gather.index):
            return grad.new_zeros(len(gather.first), *grad.shape[1:]), None
        total = grad.index_select(0, gather.first)
        if gather.unread is not None:
            total.masked_fill_(gather.unread.view(-1, *[1] * (grad.dim() - 1)), 0)
        for rows, places in gather.again:
            total.index_add_(0, rows, grad.index_select(0, places))
        return total, None
