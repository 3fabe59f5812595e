"""One of our objectives behind the signature of verl's policy losses."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from maspo.objectives import Objective, ObjectiveOutput, PolicyBatch, make


@dataclass
class MicroBatch:
    """What verl's actor loss does not hand on to a policy loss, and what it does not take back.

    Attributes:
        entropy: (B, T) entropy of the policy in training, nats, or None.
        objective: the objective with batch-wide pieces fixed, or None for the configured one.
        output: set by the policy loss.
        mask: (B, T), true on the valid tokens, set by the policy loss.
    """

    entropy: Tensor | None = None
    objective: Objective | None = None
    output: ObjectiveOutput | None = None
    mask: Tensor | None = None


_current: ContextVar[MicroBatch | None] = ContextVar("micro_batch", default=None)


@contextmanager
def micro_batch(entropy: Tensor | None, objective: Objective | None) -> Iterator[MicroBatch]:
    """Make a `MicroBatch` known to the policy losses called inside the block."""
    current = MicroBatch(entropy, objective)
    token = _current.set(current)
    try:
        yield current
    finally:
        _current.reset(token)


def policy_loss(
    method: str,
    old_log_prob: Tensor,
    log_prob: Tensor,
    advantages: Tensor,
    response_mask: Tensor,
    loss_agg_mode: str = "token-mean",
    config: Any = None,
    rollout_is_weights: Tensor | None = None,
) -> tuple[Tensor, dict[str, float]]:
    """Return loss and metrics of `method` on a micro-batch; tensors are (B, T).

    With the totals of the mini-batch that verl's workers put into `config.global_batch_info`, the
    losses of the micro-batches of all ranks add up to the mini-batch's, however it was cut. verl
    averages gradients over its data-parallel ranks, hence the factor `dp_size`.
    `loss_agg_mode` is ignored: the objective's `aggregation` rules.

    Raises:
        ValueError: the objective needs the entropy and verl did not compute it, or
            `rollout_is_weights` is given.
    """
    if rollout_is_weights is not None:
        raise ValueError(
            f"objective {method!r} takes no rollout importance weights: set "
            "algorithm.rollout_correction.rollout_is=null"
        )
    current = _current.get() or MicroBatch()
    objective = current.objective or _configured(method, config)
    if objective.needs_entropy and current.entropy is None:
        raise ValueError(
            f"objective {method!r} needs the policy's entropy: set "
            "actor_rollout_ref.actor.calculate_entropy=true and actor_rollout_ref.actor."
            "policy_loss._target_=maspo.integrations.verl.config.PolicyLoss"
        )
    totals = getattr(config, "global_batch_info", None) or {}
    output = objective(
        PolicyBatch(
            log_prob=log_prob,
            old_log_prob=old_log_prob,
            advantages=advantages,
            mask=response_mask,
            entropy=current.entropy,
            total_tokens=totals.get("batch_num_tokens"),
            total_sequences=totals.get("global_batch_size"),
        )
    )
    current.output, current.mask = output, response_mask.bool()
    loss = output.loss * (totals.get("dp_size") or 1)
    return loss, {f"actor/{name}": value for name, value in output.metrics.items()}


def _configured(method: str, config: Any) -> Objective:
    """Return the objective of `config.policy_loss`, or the method with its defaults."""
    objective = getattr(getattr(config, "policy_loss", None), "objective", None)
    return make(method) if objective is None else objective
