"""verl's training worker, with what some objectives need beyond one micro-batch."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from verl.utils.metric import AggregationType, Metric
from verl.workers.config import ActorConfig
from verl.workers.engine_workers import ActorRolloutRefWorker, TrainingWorker
from verl.workers.utils.padding import no_padding_2_padding

from maspo.files import read_json, write_json
from maspo.integrations.batches import Part, fix_bounds, needs_whole_batch, valid_tokens
from maspo.integrations.verl.loss import micro_batch
from maspo.objectives import EXTREMES, Objective, merge
from maspo.objectives.schedules import Scheduled

AGGREGATIONS = {min: AggregationType.MIN, max: AggregationType.MAX}
FIELDS = ("response_mask", "old_log_probs", "advantages")


class ActorLoss:
    """verl's actor loss, called inside a `micro_batch`: it adds what verl leaves out.

    The objective gets the entropy of the policy in training. Metrics of the micro-batches become
    those of the mini-batch: means weigh each token once, extremes are extremes of all.
    """

    def __init__(self, loss_fn: Callable[..., Any], config: ActorConfig) -> None:
        self.loss_fn, self.config = loss_fn, config
        self.scheduled = getattr(config.policy_loss, "scheduled", None)  # None: verl's own
        self.objective: Objective | None = self.scheduled and self.scheduled.first  # at this update
        self.changed: dict[str, float] = {}  # its scheduled settings, as columns of the log
        self.seen: dict[str, float] = {}  # metrics of the mini-batch's part that this rank has

    def __call__(self, model_output: dict, data: Any, dp_group: Any = None) -> tuple:
        entropy = model_output.get("entropy")
        if entropy is not None:
            entropy = no_padding_2_padding(entropy, data)
        with micro_batch(entropy, self.objective) as current:
            loss, metrics = self.loss_fn(model_output=model_output, data=data, dp_group=dp_group)
        if current.output is not None:
            tokens = int(current.mask.sum())
            share = tokens * data["dp_size"] / max(data["batch_num_tokens"], 1)
            own = current.output.metrics
            metrics.update({f"actor/{n}": _metric(n, value, share) for n, value in own.items()})
            for name, value in self.changed.items():
                metrics[f"actor/{name}"] = Metric(AggregationType.MEAN, value)
            if self.scheduled is not None and self.scheduled.steered_by:
                if entropy is not None:
                    own = own | {"entropy": entropy[current.mask].mean().item() if tokens else 0.0}
                self._see(own, share)
        return loss, metrics

    def _see(self, metrics: dict[str, float], share: float) -> None:
        for name, value in metrics.items():
            before = self.seen.get(name)
            if name not in EXTREMES:
                self.seen[name] = (before or 0.0) + value * share
            else:
                self.seen[name] = value if before is None else EXTREMES[name]([before, value])

    def seen_by_all(self, group: Any) -> dict[str, float]:
        """Return the metrics of the whole mini-batch, and begin with the next."""
        ranks: list[Any] = [None] * torch.distributed.get_world_size(group)
        torch.distributed.all_gather_object(ranks, self.seen, group)
        self.seen = {}
        return merge(ranks)


def _metric(name: str, value: float, share: float) -> Metric:
    if name in EXTREMES:
        return Metric(AGGREGATIONS[EXTREMES[name]], value)
    return Metric(AggregationType.SUM, value * share)  # verl then takes the mean over ranks


class ActorWorker(TrainingWorker):
    """verl's training worker; it changes scheduled settings, and fixes batch-wide pieces.

    A step of verl is one call of `train_mini_batch`, and its number that of the learning rate's
    schedule, which verl's FSDP engines keep in their checkpoints. What steered settings follow is
    kept beside.
    """

    row: dict[str, float] | None = None  # of the step before, which steered settings follow

    def set_loss_fn(self, loss_fn: Callable[..., Any]) -> None:
        """Take verl's actor loss, wrapped if the configured objective is one of ours."""
        config = getattr(loss_fn, "keywords", {}).get("config")
        settings = getattr(config, "policy_loss", None)
        if isinstance(getattr(settings, "objective", None), Objective):
            self._check_schedules(config)
            loss_fn = ActorLoss(loss_fn, config)
        self.updates: list[dict[str, float]] = []  # metrics of those of the current step
        super().set_loss_fn(loss_fn)

    def _check_schedules(self, config: ActorConfig) -> None:
        """Refuse schedules of settings that cannot be followed here.

        Raises:
            ValueError: the engine does not count steps as verl's FSDP engines do, the number of
                steps is not known, or entropy steers and verl does not compute it.
        """
        scheduled: Scheduled = config.policy_loss.scheduled
        if not scheduled.schedules:
            return
        counted = getattr(getattr(self.engine, "lr_scheduler", None), "last_epoch", None)
        if counted is None or self.optimizer_config.total_training_steps < 1:
            raise ValueError(
                f"{sorted(scheduled.schedules)} have schedules, which need an engine of verl that "
                "counts steps (actor.strategy=fsdp or fsdp2) and their number "
                "(actor.optim.total_training_steps, which verl's trainer sets)"
            )
        entropy = config.calculate_entropy or config.entropy_coeff
        if "entropy" in scheduled.steered_by.values() and not entropy:
            raise ValueError("entropy steers: set actor_rollout_ref.actor.calculate_entropy=true")

    def train_mini_batch(self, data: Any) -> Any:
        """Take the updates of one step, as verl does."""
        loss = self.loss_fn
        if not isinstance(loss, ActorLoss) or not loss.scheduled.schedules:
            return super().train_mini_batch(data)
        step = self.engine.lr_scheduler.last_epoch + 1
        steps = max(self.optimizer_config.total_training_steps, step)  # more, if one goes on
        loss.objective, loss.changed = loss.scheduled.at(step, steps, self.row)
        self.updates = []
        output = super().train_mini_batch(data)
        if loss.scheduled.steered_by:
            self.row = merge(self.updates) | loss.changed
        return output

    def train_batch(self, data: Any) -> Any:
        """Take one optimizer step on a mini-batch, as verl does."""
        loss = self.loss_fn
        if not isinstance(loss, ActorLoss):
            return super().train_batch(data)
        current = loss.objective
        if needs_whole_batch(current):
            loss.objective = fix_bounds(current, self._tokens_of_all(data))
        loss.seen = {}
        try:
            output = super().train_batch(data)
        finally:
            loss.objective = current
        if loss.scheduled.steered_by:
            self.updates.append(loss.seen_by_all(self.engine.get_data_parallel_group()))
        return output

    def save_checkpoint(self, local_path: str, *arguments: Any, **options: Any) -> Any:
        """Save as verl does, and what steered settings follow."""
        done = super().save_checkpoint(local_path, *arguments, **options)
        if self.row is not None:
            write_json(self._row_file(local_path), self.row)
        return done

    def load_checkpoint(self, local_path: str, *arguments: Any, **options: Any) -> Any:
        """Load as verl does, and what steered settings follow.

        Raises:
            DataError: the checkpoint was made without steered settings.
        """
        done = super().load_checkpoint(local_path, *arguments, **options)
        if local_path and isinstance(self.loss_fn, ActorLoss) and self.loss_fn.scheduled.steered_by:
            self.row = read_json(self._row_file(local_path))
        return done

    def _row_file(self, folder: str) -> Path:
        return Path(folder) / f"maspo_steered_by_rank_{self.rank}.json"

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
