"""verl's training worker, with what some objectives need beyond one micro-batch."""

from collections.abc import Callable
from typing import Any

import torch
from verl.utils.metric import AggregationType, Metric
from verl.workers.config import ActorConfig
from verl.workers.engine_workers import ActorRolloutRefWorker, TrainingWorker
from verl.workers.utils.padding import no_padding_2_padding

from maspo.integrations.batches import Part, fix_bounds, needs_whole_batch, valid_tokens
from maspo.integrations.verl.loss import micro_batch
from maspo.objectives import EXTREMES, Objective

AGGREGATIONS = {min: AggregationType.MIN, max: AggregationType.MAX}
FIELDS = ("response_mask", "old_log_probs", "advantages")


class ActorLoss:
    """verl's actor loss, called inside a `micro_batch`: it adds what verl leaves out.

    The objective gets the entropy of the policy in training. Metrics of the micro-batches become
    those of the mini-batch: means weigh each token once, extremes are extremes of all.
    """

    def __init__(self, loss_fn: Callable[..., Any], config: ActorConfig) -> None:
        self.loss_fn, self.config = loss_fn, config
        self.objective: Objective | None = None  # the configured one with fixed batch-wide pieces

    def __call__(self, model_output: dict, data: Any, dp_group: Any = None) -> tuple:
        entropy = model_output.get("entropy")
        if entropy is not None:
            entropy = no_padding_2_padding(entropy, data)
        with micro_batch(entropy, self.objective) as current:
            loss, metrics = self.loss_fn(model_output=model_output, data=data, dp_group=dp_group)
        if current.output is not None:
            share = current.tokens * data["dp_size"] / max(data["batch_num_tokens"], 1)
            metrics.update(
                {
                    f"actor/{name}": _metric(name, value, share)
                    for name, value in current.output.metrics.items()
                }
            )
        return loss, metrics


def _metric(name: str, value: float, share: float) -> Metric:
    if name in EXTREMES:
        return Metric(AGGREGATIONS[EXTREMES[name]], value)
    return Metric(AggregationType.SUM, value * share)  # verl then takes the mean over ranks


class ActorWorker(TrainingWorker):
    """verl's training worker; it fixes batch-wide pieces before it trains on a mini-batch."""

    def set_loss_fn(self, loss_fn: Callable[..., Any]) -> None:
        """Take verl's actor loss, wrapped if the configured objective is one of ours."""
        config = getattr(loss_fn, "keywords", {}).get("config")
        settings = getattr(config, "policy_loss", None)
        if isinstance(getattr(settings, "objective", None), Objective):
            loss_fn = ActorLoss(loss_fn, config)
        super().set_loss_fn(loss_fn)

    def train_batch(self, data: Any) -> Any:
        """Take one optimizer step on a mini-batch, as verl does."""
        loss = self.loss_fn
        if not isinstance(loss, ActorLoss) or not needs_whole_batch(
            loss.config.policy_loss.objective
        ):
            return super().train_batch(data)
        loss.objective = fix_bounds(loss.config.policy_loss.objective, self._tokens_of_all(data))
        try:
            return super().train_batch(data)
        finally:
            loss.objective = None

    def _tokens_of_all(self, data: Any) -> list[Part]:
        """Run the policy over a mini-batch without gradient; return the tokens of all ranks."""
        parts: list[Part] = []

        def collect(model_output: dict, data: Any, dp_group: Any = None) -> tuple:
            log_prob = no_padding_2_padding(model_output["log_probs"], data)
            fields = data.select(*FIELDS).to_padded_tensor()
            parts.append(
                valid_tokens(
                    log_prob,
                    fields["old_log_probs"],
                    fields["advantages"],
                    fields["response_mask"],
                )
            )
            return log_prob.new_zeros(()), {}

        loss, self.loss_fn = self.loss_fn, collect
        try:
            self.infer_batch(data.clone(recurse=False))
        finally:
            self.loss_fn = loss
        group = self.engine.get_data_parallel_group()
        ranks: list[Any] = [None] * torch.distributed.get_world_size(group)
        torch.distributed.all_gather_object(ranks, parts, group)
        return [part for rank in ranks for part in rank]


def install() -> None:
    """Let verl build its actor from `ActorWorker`, through the class attribute that it reads."""
    if ActorRolloutRefWorker.actor_worker_cls is TrainingWorker:
        ActorRolloutRefWorker.actor_worker_cls = ActorWorker
