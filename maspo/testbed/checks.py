"""What an objective's gradient should do, tried before any run."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from maspo.errors import ConfigError
from maspo.objectives.base import PolicyBatch
from maspo.seeding import derive_seed

Loss = Callable[[PolicyBatch], Tensor]
ROWS, COLUMNS = 8, 12
EXTREMES = (-80.0, -20.0, -1.0, 0.0, 1.0, 20.0, 80.0)  # log-ratios


@dataclass(frozen=True)
class Check:
    """One check. Where `needed`, no run starts before it passes; others tell what to expect."""

    name: str
    passed: bool
    needed: bool
    text: str


def checks(loss: Loss) -> list[Check]:
    """Return every check of a loss, the needed ones first.

    Raises:
        ConfigError: the loss cannot be computed on an ordinary batch.
    """
    batch = ordinary()
    value, gradient = gradient_of(loss, batch)
    return [
        _finite(value, gradient),
        _masked(loss, batch, value, gradient),
        _repeatable(loss, batch, value, gradient),
        _on_policy(loss),
        _extremes(loss),
        _micro_batches(loss, batch, value, gradient),
        _scale(loss),
    ]


def ordinary(spread: float = 0.3) -> PolicyBatch:
    """Return a batch with ratios near 1, advantages of both signs and sequences of all lengths."""
    draw = torch.Generator().manual_seed(derive_seed("test bed"))
    shape = (ROWS, COLUMNS)
    old = -torch.rand(shape, generator=draw, dtype=torch.float64) * 3 - 0.01
    moved = spread * torch.randn(shape, generator=draw, dtype=torch.float64)
    advantages = torch.tensor([1.5, -0.5, 0.7, -1.2, 0.4, -0.9, 0.0, 1.1], dtype=torch.float64)
    lengths = torch.tensor([12, 7, 9, 3, 12, 5, 8, 1])
    return PolicyBatch(
        log_prob=(old + moved).clamp(max=0.0).requires_grad_(),
        old_log_prob=old,
        advantages=advantages[:, None].expand(shape),
        mask=torch.arange(COLUMNS) < lengths[:, None],
        entropy=torch.rand(shape, generator=draw, dtype=torch.float64) * 2,
        total_tokens=int(lengths.sum()),
        total_sequences=ROWS,
    )


def gradient_of(loss: Loss, batch: PolicyBatch) -> tuple[float, Tensor]:
    """Return a loss and its gradient in the log-probabilities, (B, T)."""
    value = loss(batch)
    if not value.requires_grad:
        return value.item(), torch.zeros_like(batch.log_prob)
    (gradient,) = torch.autograd.grad(value, batch.log_prob, allow_unused=True)
    return value.item(), torch.zeros_like(batch.log_prob) if gradient is None else gradient


def _finite(value: float, gradient: Tensor) -> Check:
    there, finite = bool((gradient != 0).any()), bool(gradient.isfinite().all())
    text = f"loss {value:.4g}, gradient of norm {gradient.norm():.4g}"
    if not there:
        text = "the loss has no gradient in batch.log_prob: nothing would be learned"
    return Check("gradient", there and finite, True, text)


def _masked(loss: Loss, batch: PolicyBatch, value: float, gradient: Tensor) -> Check:
    outside = ~batch.mask
    if gradient[outside].any():
        text = "tokens outside batch.mask have a gradient: multiply by the mask"
        return Check("mask", False, True, text)
    changed = {"log_prob": batch.log_prob.detach().masked_fill(outside, -2.0).requires_grad_()}
    for name in ("old_log_prob", "advantages", "entropy"):
        changed[name] = getattr(batch, name).masked_fill(outside, 3.0)
    other, _ = gradient_of(loss, replace(batch, **changed))
    same = abs(other - value) <= 1e-9 * max(1.0, abs(value))
    text = "what stands outside batch.mask changes nothing"
    return Check("mask", same, True, text if same else text.replace("changes nothing", "counts"))


def _repeatable(loss: Loss, batch: PolicyBatch, value: float, gradient: Tensor) -> Check:
    again, other = gradient_of(loss, batch)
    same = again == value and torch.equal(gradient, other)
    text = "a second call gives the same bits"
    if not same:
        text = f"a second call gives the loss {again:.6g} in place of {value:.6g}: draw nothing"
    return Check("repeatable", same, True, text)


def _on_policy(loss: Loss) -> Check:
    """At rho = 1 all surrogates of the literature have the policy gradient, -A / tokens."""
    batch = ordinary(spread=0.0)
    _, gradient = gradient_of(loss, batch)
    plain = torch.where(batch.mask, -batch.advantages, 0.0)
    size = gradient.norm() * plain.norm()
    cosine = (gradient * plain).sum() / size if size else torch.zeros(())
    passed = bool(cosine > 0.999)
    text = f"at ratio 1 its cosine with the policy gradient is {cosine:.4f}"
    return Check("on-policy", passed, False, text)


def _extremes(loss: Loss) -> Check:
    jumps = torch.tensor(EXTREMES, dtype=torch.float32)
    old = torch.tensor([-1e-6, -1.0, -50.0])
    signs = torch.tensor([1.0, -1.0])
    grid = torch.cartesian_prod(old, signs, jumps)
    base, sign, jump = (column[None] for column in grid.unbind(1))
    batch = PolicyBatch(
        (base + jump).requires_grad_(),
        base,
        sign,
        torch.ones_like(base, dtype=torch.bool),
        torch.ones_like(base),
    )
    try:
        _, gradient = gradient_of(loss, batch)
    except ConfigError as error:
        return Check("extremes", False, False, str(error))
    bad = ~gradient.isfinite()[0]
    text = f"finite for log-ratios from {EXTREMES[0]:g} to {EXTREMES[-1]:g}"
    if bad.any():
        text = f"no finite gradient at the log-ratio {jump[0][bad][0]:g}: clamp the log-ratio"
    return Check("extremes", not bad.any(), False, text)


def _micro_batches(loss: Loss, batch: PolicyBatch, value: float, gradient: Tensor) -> Check:
    parts = [_rows(batch, slice(first, first + 2)) for first in range(0, ROWS, 2)]
    found = [gradient_of(loss, part) for part in parts]
    total, whole = sum(value for value, _ in found), torch.cat([part for _, part in found])
    near = abs(total - value) <= 1e-9 * max(1.0, abs(value))
    same = near and torch.allclose(whole, gradient, rtol=1e-7, atol=1e-12)
    text = "micro-batches add up to the mini-batch"
    if not same:
        text = "micro-batches do not add up: divide by batch.total_tokens where it is given"
    return Check("micro-batches", same, False, text)


def _rows(batch: PolicyBatch, rows: slice) -> PolicyBatch:
    names = ("old_log_prob", "advantages", "mask", "entropy")
    part = {name: getattr(batch, name)[rows] for name in names}
    return replace(batch, log_prob=batch.log_prob[rows].detach().requires_grad_(), **part)


def _scale(loss: Loss) -> Check:
    """A loss of another scale meets the clip of the gradient's norm at another place."""
    batch = ordinary(spread=0.0)
    _, gradient = gradient_of(loss, batch)
    plain = torch.where(batch.mask, -batch.advantages, 0.0) / batch.mask.sum()
    scale = (gradient.norm() / plain.norm()).item()
    text = f"its gradient at ratio 1 has {scale:.3g} times the norm of GRPO's"
    return Check("scale", 0.5 <= scale <= 2, False, text)
