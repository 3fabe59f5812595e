"""The RL loop: sample groups, grade them, and update the policy several times on each batch.

One step is one rollout batch. The policy that drew it is the old policy of all the updates that
follow, so the later ones are off-policy: this is where the objectives differ. There is no KL term
(paper: coefficient 0).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from maspo.config import Experiment, Train, build_scheduled
from maspo.errors import ConfigError
from maspo.objectives import ObjectiveOutput, PolicyBatch, merge
from maspo.objectives.schedules import Scheduled
from maspo.policy import (
    PaddedBatch,
    fitting_prompts,
    make_checkpoints,
    micro_batched,
    pad_batch,
    save_policy,
    token_log_probs,
    training_mode,
)
from maspo.sampling import Sampler, SamplingSettings
from maspo.seeding import derive_seed
from maspo.stopwatch import Stopwatch
from maspo.tasks import Problem
from maspo.training.advantages import group_relative
from maspo.training.batches import MiniBatch, Rollout, Update, summarize
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.log import TrainingLog
from maspo.training.rewards import Credit, draw_rewards, partial_credit
from maspo.training.rollouts import kept_rows, sampled_groups, write_rollouts
from maspo.training.sampler_gap import importance_weights, sampler_log_probs
from maspo.training.schedule import epoch_rows, learning_rate
from maspo.training.token_counts import (
    PROBABILITIES,
    RATIOS,
    as_metric,
    counts,
    moves,
    outward_ratio,
)
from maspo.training.trackers import Tracker
from maspo.verifier import Verdict, Verifier

Objective = Callable[[PolicyBatch], ObjectiveOutput]


@dataclass
class Trainer:
    """One run: a policy, what it is trained on and how."""

    policy: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    objective: Objective
    sampler: Sampler
    verifier: Verifier
    problems: Sequence[Problem]
    prompts: Sequence[list[int]]  # token ids of each problem's prompt
    settings: Train
    max_tokens: int
    seed: int
    scheduled: Scheduled | None = None  # gives the objective of each step, where settings change
    credit: Credit | None = None  # what a wrong completion is worth, where it is not 0

    @classmethod
    def of(
        cls,
        experiment: Experiment,
        policy: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        problems: Sequence[Problem],
        sampler: Sampler,
        verifier: Verifier,
        scheduled: Scheduled | None = None,
    ) -> "Trainer":
        """Return the run of an experiment's variant and seed; problems too long are left out.

        `scheduled` takes the place of the variant's objective.
        """
        kept, prompts = fitting_prompts(tokenizer, problems, experiment.task.max_prompt_tokens)
        scheduled = scheduled or build_scheduled(experiment.variant)
        return cls(
            policy=policy,
            tokenizer=tokenizer,
            objective=scheduled.first,
            sampler=sampler,
            verifier=verifier,
            problems=kept,
            prompts=prompts,
            settings=experiment.train,
            max_tokens=experiment.task.max_completion_tokens,
            seed=experiment.seed,
            scheduled=scheduled if scheduled.schedules else None,
            credit=partial_credit(experiment),
        )

    def __post_init__(self) -> None:
        self.policy.eval()
        if self.settings.gradient_checkpointing:
            make_checkpoints(self.policy)
        self.optimizer = torch.optim.AdamW(
            self.policy.parameters(),
            lr=self.settings.lr,
            betas=tuple(self.settings.betas),
            weight_decay=self.settings.weight_decay,
            fused=True,
        )

    def train(
        self,
        checkpoints: CheckpointFolder,
        title: str,
        tracker: Tracker | None = None,
        until: int | None = None,
    ) -> None:
        """Train to the last step, going on from the last checkpoint if there is one.

        The logs are left in the checkpoint folder, for the caller to take. With `until` the run
        halts behind that step, with a checkpoint to go on from.
        """
        checkpoints.prepare()
        done = checkpoints.load(self.policy, self.optimizer)
        last = self.settings.steps if until is None else until
        with TrainingLog(checkpoints.folder, title, self.settings.steps, done, tracker) as log:
            for step in range(done + 1, last + 1):
                log.write(step, *self.step(step, checkpoints.rollouts(step), log.last))
                if step in self.settings.snapshots:
                    save_policy(checkpoints.snapshot(step), self.policy, self.tokenizer)
                if step % self.settings.checkpoint_every == 0 or step == until:
                    checkpoints.save(step, self.policy, self.optimizer)

    def step(
        self, step: int, rollouts: Path | None = None, before: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, float]]:
        """Run one rollout batch and its updates; return its metrics and its seconds by phase.

        The groups that are kept of the step (`maspo.training.rollouts`) go to the file `rollouts`.
        `before` are the metrics of the step before, by which settings may be steered.

        Raises:
            ConfigError: the metric that steers a setting is not logged.
        """
        watch = Stopwatch()
        changed: dict[str, float] = {}
        if self.scheduled is not None:
            try:
                self.objective, changed = self.scheduled.at(step, self.settings.steps, before)
            except ValueError as error:
                raise ConfigError(f"{self.objective.name}, step {step}: {error}") from error
        rollout = self.roll_out(step, watch)
        with watch.timed("old_log_probs"):
            mini_batches, idle = self.run_old_policy(rollout)
        lr = learning_rate(self.settings, step)
        for group in self.optimizer.param_groups:
            group["lr"] = lr
        with watch.timed("update"):
            updates = [self.update(mini_batch) for mini_batch in mini_batches]
        metrics = {
            **rollout.metrics,
            **summarize(mini_batches, idle),
            **merge([update.metrics for update in updates]),
            "lr": lr,
            **changed,
            "gradient_use": as_metric([u.by_probability for u in updates], PROBABILITIES),
            "ratio_use": as_metric([u.by_ratio for u in updates], RATIOS),
        }
        if step in self.settings.snapshots:
            with watch.timed("measure"):
                metrics["ratio_moves"] = self.moves(mini_batches, updates)
        if rollouts is not None and self.settings.rollouts_mb is not None:
            write_rollouts(rollouts, self.keep(step, rollout, mini_batches, updates))
        total = watch.total()
        timings = {
            "seconds": total,
            **watch.seconds,
            "other": total - sum(watch.seconds.values()),
            "tokens_per_second": metrics["tokens"] / total,
        }
        return metrics, timings

    def roll_out(self, step: int, watch: Stopwatch | None = None) -> Rollout:
        """Draw a group of completions for each prompt of this step and grade them."""
        settings, watch = self.settings, watch or Stopwatch()
        rows = [
            row
            for row in epoch_rows(len(self.problems), settings.prompts_per_batch, self.seed, step)
            for _ in range(settings.group_size)
        ]
        prompts = [self.prompts[row] for row in rows]
        seeds = [derive_seed(self.seed, "rollout", step, i) for i in range(len(rows))]
        with watch.timed("sample"):
            sampling = SamplingSettings(self.max_tokens, settings.temperature, entropies=True)
            completions = self.sampler.sample(prompts, seeds, sampling)
        with watch.timed("verify"):
            verdicts = self.verifier.grade_many(
                [completion.text for completion in completions],
                [self.problems[row].answer for row in rows],
            )
            verdicts = [
                Verdict.ERROR if completion.error else verdict
                for completion, verdict in zip(completions, verdicts, strict=True)
            ]
        right = np.array([verdict is Verdict.CORRECT for verdict in verdicts])
        credits = self.credit and [
            self.credit(self.problems[row], completion.text)
            for row, completion in zip(rows, completions, strict=True)
        ]
        rewards = draw_rewards(right, settings, self.seed, step, credits)
        groups = rewards.view(-1, settings.group_size)
        lengths = [len(completion.tokens) for completion in completions]
        metrics = {
            "reward": rewards.mean().item(),
            "accuracy": torch.from_numpy(right).float().mean().item(),  # by the verifier
            "uniform_groups": (groups == groups[:, :1]).all(1).sum().item(),
            "completion_length": sum(lengths) / len(lengths),
            "tokens": sum(lengths),
            **{v.value: verdicts.count(v) for v in Verdict if v is not Verdict.CORRECT},
        }
        return Rollout(rows, prompts, seeds, completions, verdicts, rewards, metrics)

    @torch.no_grad()
    def run_old_policy(self, rollout: Rollout) -> tuple[list[MiniBatch], Tensor]:
        """Cut a rollout into mini-batches of whole groups and score them with the old policy.

        The old policy sees the very tensors that the updates will see, so the first update of a
        batch has a ratio of exactly 1. The entropies of all tokens that no update reads are the
        second result, (tokens,) nats.
        """
        settings = self.settings
        groups = rollout.rewards.view(-1, settings.group_size)
        advantages = group_relative(groups, settings.normalize_std).flatten()
        size = len(rollout.prompts) // settings.updates_per_batch
        mini_batches: list[MiniBatch] = []
        idle: list[int] = []
        for first in range(0, len(rollout.prompts), size):
            whole = range(first, first + size)
            rows = [row for row in whole if advantages[row] != 0] or list(whole)
            idle += sorted(set(whole) - set(rows))
            padded = self.pad_rows(rollout, rows)
            old, entropy = self.log_probs(padded, entropy=True)
            expanded = advantages[rows, None].to(padded.device).expand(padded.mask.shape)
            lengths = [len(rollout.completions[row].tokens) for row in whole]
            sequences = sum(length > 0 for length in lengths)
            mini_batch = MiniBatch(rows, padded, expanded, old, entropy, sum(lengths), sequences)
            sampled = sampler_log_probs([rollout.completions[row] for row in rows], padded.valid)
            if sampled is not None:
                mini_batch = self.with_sampler_log_probs(mini_batch, sampled)
            mini_batches.append(mini_batch)
        return mini_batches, self.idle_entropies(rollout, idle)

    def idle_entropies(self, rollout: Rollout, rows: Sequence[int]) -> Tensor:
        """Return the entropies of all tokens of rows that no update reads, (tokens,) nats.

        They are for the log alone, so they are the sampler's where it gives them: reading half of
        a rollout again would cost an eighth of a step.
        """
        completions = [rollout.completions[row] for row in rows]
        if all(completion.entropies is not None for completion in completions):
            return torch.tensor([x for completion in completions for x in completion.entropies])
        padded = self.pad_rows(rollout, rows)
        _, entropy = self.log_probs(padded, entropy=True)
        return entropy[padded.mask]

    def pad_rows(self, rollout: Rollout, rows: Sequence[int]) -> PaddedBatch:
        """Return some rows of a rollout as one padded batch."""
        return pad_batch(
            [rollout.prompts[row] for row in rows],
            [rollout.completions[row].tokens for row in rows],
            self.tokenizer.pad_token_id,
            self.policy.device,
        )

    def with_sampler_log_probs(self, mini_batch: MiniBatch, sampled: Tensor) -> MiniBatch:
        """Return the mini-batch with its gap to the sampler, whose log-probabilities are (B, T).

        As the settings say, the gap becomes importance weights (`train.importance_cap`), and the
        sampler's log-probabilities replace the old policy's (`train.old_policy=sampler`).
        """
        trainer, cap = mini_batch.old_log_prob, self.settings.importance_cap
        gap = torch.where(mini_batch.padded.valid, trainer - sampled, torch.zeros_like(sampled))
        return replace(
            mini_batch,
            gap=gap,
            importance=None if cap is None else importance_weights(gap, cap),
            old_log_prob=sampled if self.settings.old_policy == "sampler" else trainer,
        )

    def update(self, mini_batch: MiniBatch) -> Update:
        """Take one optimizer step on one mini-batch."""
        with training_mode(self.policy, self.settings.gradient_checkpointing):
            log_prob, output = self.set_gradients(mini_batch)
        norm = torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.settings.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        metrics = {"loss": output.loss.item(), "gradient_norm": norm.item(), **output.metrics}
        old, advantages, chosen = mini_batch.old_log_prob, mini_batch.advantages, mini_batch.moved
        ratio = outward_ratio(log_prob, old, advantages)
        return Update(
            metrics,
            counts(old.exp(), PROBABILITIES, output.weight, chosen),
            counts(ratio, RATIOS, output.weight, chosen),
            ratio[chosen],
            log_prob.detach(),
            output.weight,
        )

    def set_gradients(self, mini_batch: MiniBatch) -> tuple[Tensor, ObjectiveOutput]:
        """Give the policy the gradient of the objective on a mini-batch.

        Return the log-probabilities, (B, T), and what the objective says.
        """
        learns = bool(mini_batch.advantages.any())  # else the gradient is 0: no graph for it
        with torch.set_grad_enabled(learns):
            log_prob, entropy = self.log_probs(mini_batch.padded, self.objective.needs_entropy)
            output = self.objective(
                PolicyBatch(
                    log_prob=log_prob,
                    old_log_prob=mini_batch.old_log_prob,
                    advantages=mini_batch.advantages,
                    mask=mini_batch.padded.valid,
                    entropy=entropy,
                    importance=mini_batch.importance,
                    total_tokens=mini_batch.total_tokens,
                    total_sequences=mini_batch.total_sequences,
                )
            )
        if learns:
            output.loss.backward()
        else:  # AdamW moves on, with its momentum
            for parameter in self.policy.parameters():
                parameter.grad = torch.zeros_like(parameter)
        return log_prob, output

    def keep(
        self,
        step: int,
        rollout: Rollout,
        mini_batches: Sequence[MiniBatch],
        updates: Sequence[Update],
    ) -> pa.Table:
        """Return the rows that are kept of a step, see `maspo.training.rollouts`."""
        size = self.settings.group_size
        groups = sampled_groups(self.settings, self.max_tokens, self.seed, step)
        prompts = [self.tokenizer.decode(rollout.prompts[group * size]) for group in groups]
        return kept_rows(step, groups, size, rollout, prompts, self.problems, mini_batches, updates)

    @torch.no_grad()
    def moves(self, mini_batches: Sequence[MiniBatch], updates: Sequence[Update]) -> list[list]:
        """Return how far tokens were at their update, and where all updates left them.

        Rows are the bins of the outward ratio at the token's own update, columns those under the
        policy behind the last update of the batch; cells count tokens.
        """
        total = 0
        for mini_batch, update in zip(mini_batches, updates, strict=True):
            log_prob, _ = self.log_probs(mini_batch.padded, entropy=False)
            last = outward_ratio(log_prob, mini_batch.old_log_prob, mini_batch.advantages)
            total = total + moves(update.ratio, last[mini_batch.moved])
        return total.tolist()

    def log_probs(self, padded: PaddedBatch, entropy: bool) -> tuple[Tensor, Tensor | None]:
        """Score a mini-batch with the policy as it is; see `token_log_probs` for the results."""
        settings = self.settings

        def score(part: PaddedBatch) -> tuple[Tensor, Tensor | None]:
            return token_log_probs(
                self.policy,
                part,
                settings.temperature,
                entropy,
                settings.logits_chunk,
                settings.precision,
            )

        return micro_batched(score, padded, settings.micro_batch_tokens)
