"""Batches for the tests of the objectives."""

import itertools
from dataclasses import replace

import numpy as np
import torch

from maspo.objectives import PolicyBatch


def random_arrays(seed, rows=6, columns=9, spread=0.6):
    """Log-probabilities, advantages, mask and entropy as float64 arrays (rows, columns)."""
    rng = np.random.default_rng(seed)
    old = -rng.exponential(1.5, (rows, columns))
    log_prob = np.minimum(old + spread * rng.standard_normal((rows, columns)), 0.0)
    advantages = np.repeat(rng.standard_normal((rows, 1)), columns, axis=1)
    mask = np.arange(columns) < rng.integers(1, columns + 1, (rows, 1))
    entropy = rng.exponential(0.7, (rows, columns))
    return {
        "log_prob": log_prob,
        "old": old,
        "adv": advantages,
        "mask": mask,
        "entropy": entropy,
    }


def adversarial_arrays():
    """Every combination of awkward log-ratios, old probabilities and advantages, all valid.

    One row per old probability and advantage; no ratio sits exactly on a bound, where the
    derivative of a clip is a convention.
    """
    eps = 1e-7
    edges = [0.8, 1.2, 1.28, 3.0, 5.0]
    ratios = [0.0, 1e-12, -1e-12, 1e-4, -1e-4, 1.0, -1.0, 5.0, -5.0, 19.9, -19.9, 60.0, -60.0]
    ratios += [np.log(edge) + sign * eps for edge in edges for sign in (1, -1)]
    olds = [0.0, np.log(0.9), np.log(0.5), np.log(0.01), np.log(1e-38)]
    advantages = [0.0, 1e-9, -1e-9, 0.5, -0.5, 40.0, -40.0, 500.0, -500.0]
    rows = list(itertools.product(olds, advantages))
    old = np.array([[o] * len(ratios) for o, _ in rows])
    return {
        "log_prob": old + np.array(ratios),
        "old": old,
        "adv": np.array([[a] * len(ratios) for _, a in rows]),
        "mask": np.ones_like(old, dtype=bool),
        "entropy": np.tile(np.linspace(0, 3, len(ratios)), (len(rows), 1)),
    }


def to_batch(arrays, dtype=torch.float64, **changed):
    """A PolicyBatch of the arrays; log_prob is a leaf that collects the gradient."""

    def tensor(name):
        return torch.tensor(arrays[name], dtype=dtype)

    batch = PolicyBatch(
        log_prob=tensor("log_prob").requires_grad_(),
        old_log_prob=tensor("old"),
        advantages=tensor("adv"),
        mask=torch.tensor(arrays["mask"]),
        entropy=tensor("entropy"),
    )
    return replace(batch, **changed)


def uniform(ratio, advantage, old_prob=0.5, dtype=torch.float64, entropy=0.0):
    """A batch (1, N) of one ratio, advantage and old probability a token; each may be a list."""
    ratio, advantage, old_prob, entropy = (
        torch.atleast_2d(torch.as_tensor(value, dtype=dtype))
        for value in (ratio, advantage, old_prob, entropy)
    )
    ratio, advantage, old_prob, entropy = torch.broadcast_tensors(
        ratio, advantage, old_prob, entropy
    )
    old = old_prob.log()
    return PolicyBatch(
        log_prob=(old + ratio.log()).requires_grad_(),
        old_log_prob=old,
        advantages=advantage.contiguous(),
        mask=torch.ones(ratio.shape, dtype=torch.bool),
        entropy=entropy.contiguous(),
    )


def run(objective, batch):
    """Return the output and the gradient with respect to log_prob."""
    output = objective(batch)
    (gradient,) = torch.autograd.grad(output.loss, batch.log_prob)
    return output, gradient
