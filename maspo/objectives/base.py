"""The shape of an objective: what goes in, what comes out, and the registry of methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import torch

from maspo.objectives.constraints import check_settings, setting
from maspo.objectives.primitives import AGGREGATIONS, aggregate, log_ratio, statistics, to_floats


@dataclass(frozen=True, eq=False)
class PolicyBatch:
    """A batch of B sequences of T tokens.

    Attributes:
        log_prob: (B, T) log-probability of each token under the policy in training, nats; carries
            the gradient.
        old_log_prob: (B, T) the same under the policy that sampled the tokens.
        advantages: (B, T) advantage of each token.
        mask: (B, T) bool or 0/1, true on the tokens that count. Whatever the other fields hold
            elsewhere is ignored.
        entropy: (B, T) entropy of the policy at each token, nats; only some methods ask for it.
        importance: (B, T) factor of each token's surrogate, for tokens that another policy drew
            than `old_log_prob` says (truncated importance sampling); without it 1.
        total_tokens: valid tokens of the whole mini-batch, when this is one micro-batch of it.
        total_sequences: sequences of the whole mini-batch that have a valid token.

    With both totals given, losses and gradients of the micro-batches add up to the mini-batch's.

    Raises:
        TypeError: a field is not a tensor, or log-probabilities are not floating point.
        ValueError: a field's shape differs from `log_prob`'s, or a total is negative.
    """

    log_prob: torch.Tensor
    old_log_prob: torch.Tensor
    advantages: torch.Tensor
    mask: torch.Tensor
    entropy: torch.Tensor | None = None
    importance: torch.Tensor | None = None
    total_tokens: float | torch.Tensor | None = None
    total_sequences: float | torch.Tensor | None = None

    def __post_init__(self):
        for name in ("log_prob", "old_log_prob", "advantages", "mask", "entropy", "importance"):
            value = getattr(self, name)
            if value is None and name in ("entropy", "importance"):
                continue
            if not isinstance(value, torch.Tensor):
                raise TypeError(f"PolicyBatch.{name} must be a tensor, got {type(value).__name__}")
            if value.shape != self.log_prob.shape:
                raise ValueError(
                    f"PolicyBatch.{name} has shape {tuple(value.shape)}, which differs from "
                    f"log_prob's {tuple(self.log_prob.shape)}"
                )
            if name.endswith("log_prob") and not value.is_floating_point():
                raise TypeError(f"PolicyBatch.{name} must be floating point, got {value.dtype}")
        if self.log_prob.dim() != 2:
            raise ValueError(
                f"PolicyBatch.log_prob must have the two dimensions (B, T), "
                f"got shape {tuple(self.log_prob.shape)}"
            )
        for name in ("total_tokens", "total_sequences"):
            total = getattr(self, name)
            if total is not None and not isinstance(total, torch.Tensor) and not total >= 0:
                raise ValueError(f"PolicyBatch.{name} must be at least 0, got {total!r}")


class Tokens:
    """A batch made safe to compute with: at least float32, and neutral on masked tokens.

    There `ratio` is 1, and `log_ratio`, `log_prob`, `old_log_prob`, `advantages`, `entropy` and
    `importance` are 0. Only `log_prob`, `log_ratio` and `ratio` carry a gradient.
    """

    def __init__(self, batch: PolicyBatch):
        dtype = torch.promote_types(batch.log_prob.dtype, batch.old_log_prob.dtype)
        self.dtype = torch.promote_types(dtype, torch.float32)
        self._batch = batch
        self.mask = batch.mask if batch.mask.dtype == torch.bool else batch.mask != 0
        self.log_ratio = log_ratio(
            batch.log_prob.to(self.dtype), batch.old_log_prob.detach().to(self.dtype), self.mask
        )
        self.ratio = self.log_ratio.exp()
        self.advantages = self._clean(batch.advantages.detach())

    def _clean(self, values: torch.Tensor) -> torch.Tensor:
        return torch.where(self.mask, values.to(self.dtype), 0.0)

    @cached_property
    def log_prob(self) -> torch.Tensor:
        return self._clean(self._batch.log_prob)

    @cached_property
    def old_log_prob(self) -> torch.Tensor:
        return self._clean(self._batch.old_log_prob.detach())

    @cached_property
    def entropy(self) -> torch.Tensor:
        return self._clean(self._batch.entropy.detach())

    @cached_property
    def importance(self) -> torch.Tensor:
        return self._clean(self._batch.importance.detach())


class Surrogate(NamedTuple):
    """A method's per-token surrogate, to be maximised.

    Attributes:
        values: (B, T), with gradient.
        weight: (B, T): (d values / d rho) / A, 1 for the plain surrogate rho A; anything where
            A = 0 or the token is masked.
        metrics: what the method logs besides the common metrics.
    """

    values: torch.Tensor
    weight: torch.Tensor
    metrics: dict[str, float | torch.Tensor] = {}  # noqa: RUF012 (never changed)


@dataclass(frozen=True, eq=False)
class ObjectiveOutput:
    """What an objective returns.

    Attributes:
        loss: scalar, to be minimised.
        metrics: floats over the valid tokens of the batch.
        weight: (B, T), detached: effective gradient weight of each token, 1 for the plain
            surrogate rho A; by convention 1 where A = 0, and 0 on masked tokens. `importance` is
            no part of it.
    """

    loss: torch.Tensor
    metrics: dict[str, float]
    weight: torch.Tensor


@dataclass(frozen=True, kw_only=True)
class Objective(ABC):
    """Base of all methods: validates its settings, cleans the batch, aggregates the surrogate.

    A method says its surrogate; loss = -aggregate(surrogate).
    """

    aggregation: str = setting("token_mean", choices=AGGREGATIONS)

    name: ClassVar[str] = ""
    needs_entropy: ClassVar[bool] = False

    def __post_init__(self):
        check_settings(self)

    @abstractmethod
    def surrogate(self, tokens: Tokens) -> Surrogate:
        """Return the method's surrogate of each token."""

    def reduce(self, values: torch.Tensor, batch: PolicyBatch, mask: torch.Tensor) -> torch.Tensor:
        """Aggregate per-token values (B, T) to a scalar."""
        return aggregate(values, mask, self.aggregation, batch.total_tokens, batch.total_sequences)

    def __call__(self, batch: PolicyBatch) -> ObjectiveOutput:
        """Return loss, metrics and gradient weights of a batch.

        Raises:
            ValueError: the method needs the entropy and the batch has none.
        """
        if self.needs_entropy and batch.entropy is None:
            raise ValueError(f"objective {self.name!r} needs PolicyBatch.entropy, which is None")
        tokens = Tokens(batch)
        values, weight, own = self.surrogate(tokens)
        if batch.importance is not None:
            values = values * tokens.importance
        loss = -self.reduce(values, batch, tokens.mask)
        moved = tokens.mask & (tokens.advantages != 0)
        weight = torch.where(moved, weight.detach(), tokens.mask.to(weight.dtype))
        common = statistics(tokens.ratio.detach(), tokens.log_ratio.detach(), weight, tokens.mask)
        return ObjectiveOutput(loss, to_floats(common | own), weight)


OBJECTIVES: dict[str, type[Objective]] = {}


def register(name: str) -> Callable[[type[Objective]], type[Objective]]:
    """Return a class decorator that enters a method under its name."""

    def enter(method: type[Objective]) -> type[Objective]:
        if name in OBJECTIVES:
            raise ValueError(f"objective {name!r} is registered twice")
        method.name = name
        OBJECTIVES[name] = method
        return method

    return enter


def names() -> tuple[str, ...]:
    """Return the names of all methods, sorted."""
    return tuple(sorted(OBJECTIVES))


def make(name: str, **settings: Any) -> Objective:
    """Build an objective by its method's name.

    Raises:
        ValueError: no method has this name, or a setting is out of range.
        TypeError: the method has no such setting, or a setting has the wrong type.
    """
    if name not in OBJECTIVES:
        raise ValueError(f"objective {name!r} is unknown: valid are {list(names())}")
    valid = [item.name for item in fields(OBJECTIVES[name])]
    unknown = [field for field in settings if field not in valid]
    if unknown:
        raise TypeError(f"objective {name!r} has no settings {unknown}: valid are {valid}")
    return OBJECTIVES[name](**settings)
