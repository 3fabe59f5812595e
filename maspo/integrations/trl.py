"""MASPO and its relatives in TRL 1.16.0: a subclass of `GRPOTrainer`, and our reward.

    from trl import GRPOConfig
    from maspo.integrations.trl import MaspoTrainer, verifier_reward

    trainer = MaspoTrainer(
        "Qwen/Qwen2.5-0.5B", verifier_reward(), GRPOConfig(), dataset, objective="maspo"
    )
    trainer.train()

The dataset has a column `prompt`, as TRL wants it, and a column `answer` for the reward.
"""

from collections.abc import Callable, Sequence
from math import ceil
from typing import Any

import torch
from accelerate.utils import gather_object
from torch import Tensor
from trl import GRPOConfig, GRPOTrainer

from maspo.integrations.batches import fix_bounds, needs_whole_batch, valid_tokens
from maspo.integrations.conversations import rewards
from maspo.objectives import Objective, PolicyBatch, make, merge
from maspo.objectives.schedules import Scheduled
from maspo.training.sampler_gap import importance_weights
from maspo.verifier import DEFAULT_RULES, kept_verifier

OWN = "objective/"  # before the objective's metrics in TRL's log
# Settings of TRL that change its loss, and the value that leaves it alone: the objective is ours.
NEUTRAL = {
    "beta": 0.0,
    "importance_sampling_level": "token",
    "top_entropy_quantile": 1.0,
    "off_policy_mask_threshold": None,
    "entropy_coef": 0.0,
    "use_adaptive_entropy": False,
    "use_liger_kernel": False,
}


class MaspoTrainer(GRPOTrainer):
    """`GRPOTrainer` with the policy objective of `maspo.objectives`.

    Args:
        objective: a method's name, or an objective with settings: ``make("maspo", alpha=0.5)``,
            or one whose settings change from generation to generation:
            ``maspo.config.build_scheduled("maspo_alpha_falling")``. A steered setting follows a
            metric of TRL's log, which then has to have one row for each generation.
        importance_cap: of the trainer's over vLLM's probability of each token, which weighs its
            surrogate (truncated importance sampling, `train.importance_cap` of our own loop). It
            takes the place of TRL's `vllm_importance_sampling_correction`. None: no weights.
        model: of `GRPOTrainer`, as are those that follow.
        reward_funcs: the rewards, `verifier_reward()` for the package's own.
        args: TRL's settings. `loss_type`, `epsilon`, `delta` and others of TRL's own losses have
            no effect.
        more: further arguments of `GRPOTrainer`.
        kwargs: the same, by name.

    TRL accumulates the gradient over `gradient_accumulation_steps` micro-batches. The losses of
    these add up to the mini-batch's loss, whatever the aggregation, if all of them come from one
    generation (`steps_per_generation` is a multiple of `gradient_accumulation_steps`, as it is by
    default). Otherwise the mini-batch is not known while it is trained on: then each micro-batch
    counts the same, and BAPO searches on each alone.

    Where every generation is trained on once (`gradient_accumulation_steps` a multiple of
    `steps_per_generation`, one iteration), the old policy is the policy, TRL keeps no old
    log-probabilities and every ratio is exactly 1: no trust region has an effect. For the paper's
    16 updates a generation: `steps_per_generation = 16 * gradient_accumulation_steps`.

    Raises:
        ValueError: a setting of TRL is on that would change the objective, or its updates,
            checkpoints or log do not go with generations, which schedules need; its name is given.
    """

    def __init__(
        self,
        model: Any,
        reward_funcs: Any,
        args: GRPOConfig | None = None,
        *more: Any,
        objective: Objective | Scheduled | str = "maspo",
        importance_cap: float | None = None,
        **kwargs: Any,
    ) -> None:
        args = args or GRPOConfig()
        check_neutral(args)
        check_cap(importance_cap, args)
        self.importance_cap = importance_cap
        made = make(objective) if isinstance(objective, str) else objective
        self._scheduled = made if isinstance(made, Scheduled) else Scheduled(made)
        check_generations(self._scheduled, args)
        self.objective = self._scheduled.first
        super().__init__(model, reward_funcs, args, *more, **kwargs)
        self._fixed: Objective | None = None  # the objective of the current mini-batch

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        log_prob, entropy = self._score(model, inputs)
        old = inputs.get("old_per_token_logps")
        mask = _mask(inputs)
        window = self._window(inputs)
        changed = self._change_settings()
        tokens, sequences = self._totals(window or [inputs])
        output = self._objective_of(model, window)(
            PolicyBatch(
                log_prob=log_prob,
                old_log_prob=log_prob.detach() if old is None else old,
                advantages=_advantages(inputs, mask),
                mask=mask,
                entropy=entropy,
                importance=self._importance(inputs, log_prob if old is None else old, mask),
                total_tokens=tokens,
                total_sequences=sequences,
            )
        )
        mode = "train" if self.model.training else "eval"
        mean_entropy = (entropy * mask).sum() / mask.sum().clamp(min=1)
        own = {"loss": output.loss.item(), **output.metrics, "entropy": mean_entropy.item()}
        # Numbers, not tensors: TRL writes its log as JSON into each checkpoint.
        for name, value in {**self._of_all(own), **changed}.items():
            self._metrics[mode][name if name == "entropy" else f"{OWN}{name}"].append(value)
        # Gradients are averaged over processes, and TRL leaves accumulation to the loss.
        loss = output.loss * self.accelerator.num_processes
        return loss if window or mode == "eval" else loss / self.current_gradient_accumulation_steps

    def _change_settings(self) -> dict[str, float]:
        """Set the objective of the current generation; return its scheduled settings by column.

        Steered settings follow the last row of TRL's log, which its checkpoints keep.
        """
        updates = updates_of(self.args)
        step = self.state.global_step // updates + 1
        steps = max(ceil(self.state.max_steps / updates), step)
        log = reversed(self.state.log_history)
        last = next((row for row in log if f"{OWN}loss" in row), {})  # none is of an evaluation
        row = {name.removeprefix(OWN): value for name, value in last.items()}
        self.objective, changed = self._scheduled.at(step, steps, row)
        return changed

    def _of_all(self, own: dict[str, float]) -> dict[str, float]:
        """Return the metrics of a micro-batch; those of all processes, where settings follow."""
        if self.accelerator.num_processes == 1 or not self._scheduled.steered_by:
            return own
        return merge(gather_object([own]))

    def _score(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Tensor]:
        """Return log-probability and entropy of the completion tokens, (B, T), as TRL has them."""
        completions = inputs["completion_ids"]
        ids = torch.cat([inputs["prompt_ids"], completions], dim=1)
        attention = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], dim=1)
        log_prob, entropy, _ = self._get_per_token_logps_and_entropies(
            model, ids, attention, completions.shape[1], compute_entropy=True
        )
        return log_prob, entropy.detach()

    def _importance(self, inputs: dict[str, Any], old: Tensor, mask: Tensor) -> Tensor | None:
        """Return the weights that `importance_cap` asks for, (B, T)."""
        if self.importance_cap is None:
            return None
        gap = (old.detach() - inputs["sampling_per_token_logps"]).where(mask.bool(), 0.0)
        return importance_weights(gap, self.importance_cap)

    def _window(self, inputs: dict[str, Any]) -> list[dict[str, Any]] | None:
        """Return the micro-batches of the current optimizer step, None where they are not known."""
        accumulated, generated = (
            self.args.gradient_accumulation_steps,
            self.args.steps_per_generation,
        )
        buffered = self._buffered_inputs
        if not self.model.training or not buffered or generated % accumulated:
            return None
        first = self._step % generated // accumulated * accumulated
        window = buffered[first : first + accumulated]
        return window if any(batch is inputs for batch in window) else None

    def _totals(self, window: Sequence[dict[str, Any]]) -> tuple[Tensor, Tensor]:
        """Return valid tokens, and sequences that have one, of a mini-batch of all processes."""
        lengths = [_mask(batch).sum(dim=-1) for batch in window]
        own = torch.stack(
            [
                sum(length.sum() for length in lengths),
                sum((length > 0).sum() for length in lengths),
            ]
        )
        tokens, sequences = self.accelerator.reduce(own, reduction="sum")
        return tokens, sequences

    def _objective_of(self, model: Any, window: list[dict[str, Any]] | None) -> Objective:
        """Return the objective, with what depends on the whole mini-batch fixed."""
        if window is None or not needs_whole_batch(self.objective):
            return self.objective
        if self._step % len(window) == 0 or self._fixed is None:
            self._fixed = fix_bounds(
                self.objective, gather_object([self._tokens_of(model, batch) for batch in window])
            )
        return self._fixed

    @torch.no_grad()
    def _tokens_of(self, model: Any, inputs: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor]:
        log_prob, _ = self._score(model, inputs)
        old, mask = inputs.get("old_per_token_logps"), _mask(inputs)
        return valid_tokens(
            log_prob, log_prob if old is None else old, _advantages(inputs, mask), mask
        )


def updates_of(args: GRPOConfig) -> int:
    """Return the optimizer steps for which TRL uses one generation."""
    return max(
        args.steps_per_generation * args.num_iterations // args.gradient_accumulation_steps, 1
    )


def check_generations(scheduled: Scheduled, args: GRPOConfig) -> None:
    """Refuse settings of TRL with which a schedule would not go with the generations.

    A generation that a checkpoint cuts in two is not finished after a resume: TRL draws a new one.

    Raises:
        ValueError: there is such a setting; the message has its value and one that is right.
    """
    if not scheduled.schedules:
        return
    updates, names = updates_of(args), sorted(scheduled.schedules)
    made = args.steps_per_generation * args.num_iterations
    accumulated = args.gradient_accumulation_steps
    if made % accumulated and accumulated % made:
        raise ValueError(
            f"{names} have schedules, and an update of TRL would be of two generations: "
            f"steps_per_generation * num_iterations = {made} must be a multiple of "
            f"gradient_accumulation_steps={accumulated}, or the reverse"
        )
    if args.save_strategy == "steps" and args.save_steps % updates:
        raise ValueError(
            f"{names} have schedules: save_steps={args.save_steps} must be a multiple of "
            f"{updates}, the updates for each generation"
        )
    each = args.logging_strategy == "steps" and args.logging_steps == updates
    if scheduled.steered_by and (not each or args.logging_first_step):
        raise ValueError(
            f"{sorted(scheduled.steered_by)} follow a metric of TRL's log, which must have a row "
            f"for each generation: set logging_strategy='steps', logging_steps={updates} and "
            f"logging_first_step=False, not {args.logging_strategy.value!r}, {args.logging_steps} "
            f"and {args.logging_first_step}"
        )


def check_cap(cap: float | None, args: GRPOConfig) -> None:
    """Refuse an importance cap that could have no effect.

    Raises:
        ValueError: the cap is not positive, or there is no vLLM whose probabilities it corrects.
    """
    if cap is None:
        return
    if not cap > 0:
        raise ValueError(f"importance_cap={cap!r} is not valid: it must be positive, or None")
    if not args.use_vllm:
        raise ValueError(
            f"importance_cap={cap!r} corrects for vLLM's probabilities, and GRPOConfig.use_vllm is "
            "off: leave it out, or set use_vllm=True"
        )


def check_neutral(args: GRPOConfig) -> None:
    """Refuse settings of TRL that would change the objective.

    Raises:
        ValueError: such a setting is on; the message names it and its neutral value.
    """
    for name, neutral in NEUTRAL.items():
        value = getattr(args, name, neutral)
        if value != neutral and not (neutral == 0 and value is None):
            raise ValueError(
                f"GRPOConfig.{name}={value!r} changes TRL's own loss, which MaspoTrainer does not "
                f"use: set it to {neutral!r}"
            )
    if args.use_vllm and args.vllm_importance_sampling_correction:
        raise ValueError(
            "GRPOConfig.vllm_importance_sampling_correction=True weighs TRL's own loss, which "
            "MaspoTrainer does not use: set it to False; importance_cap=2.0 of MaspoTrainer weighs "
            "ours"
        )


def _mask(inputs: dict[str, Any]) -> Tensor:
    mask = inputs["completion_mask"]
    return mask * inputs["tool_mask"] if "tool_mask" in inputs else mask


def _advantages(inputs: dict[str, Any], mask: Tensor) -> Tensor:
    advantages = inputs["advantages"]
    return advantages if advantages.dim() == 2 else advantages[:, None].expand(mask.shape)


def verifier_reward(
    rules: Sequence[str] = DEFAULT_RULES, workers: int = 2
) -> Callable[..., list[float | None]]:
    """Return a reward function of TRL that grades completions against the column `answer`.

    It abstains (None) where a row's answer is None, as TRL allows for mixed tasks.

    Args:
        rules: extraction rules, tried in order (`maspo.verifier.extract`).
        workers: sandboxes for expressions; they start when the first answer needs one.
    """
    verifier = kept_verifier(rules, workers)

    def correct(completions: Sequence[Any], answer: Sequence[Any], **_: Any) -> list[float | None]:
        return rewards(verifier, completions, answer)

    return correct
