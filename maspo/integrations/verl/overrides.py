"""A run of this project as verl's configuration."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from maspo.config import Experiment, build_scheduled, hydra_value, objective_settings
from maspo.seeding import derive_seed

# The names that verl has for our aggregations; verl uses them for its own terms only.
AGGREGATIONS = {
    "token_mean": "token-mean",
    "seq_mean_token_mean": "seq-mean-token-mean",
    "seq_mean_token_sum": "seq-mean-token-sum",
}
ACTOR = "actor_rollout_ref.actor"
ROLLOUT = "actor_rollout_ref.rollout"
MODEL = "actor_rollout_ref.model"
REWARD = "reward.custom_reward_function"


def verl_overrides(
    experiment: Experiment, policy: Path, problems: Path, checkpoints: Path
) -> list[str]:
    """Return the Hydra overrides of verl's `ppo_trainer` that make it train this run.

    Args:
        experiment: with a variant, a seed and `engine.kind=verl`.
        policy: folder of the base policy in Hugging Face format.
        problems: training problems in verl's layout (`maspo.integrations.verl.data`).
        checkpoints: folder of verl's checkpoints of this run; verl goes on from the last one.
    """
    parts = (
        _data(experiment, problems),
        _objective(experiment),
        _actor(experiment, policy),
        _rollout(experiment),
        _reward(experiment),
        _trainer(experiment, checkpoints),
    )
    settings = {name: value for part in parts for name, value in part.items()}
    return [*_render(settings), *experiment.engine.overrides]


def _data(experiment: Experiment, problems: Path) -> dict[str, Any]:
    task = experiment.task
    return {
        "data.train_files": problems,
        "data.val_files": problems,  # verl wants one; evaluation is a step of its own
        "data.train_batch_size": experiment.train.prompts_per_batch,
        "data.max_prompt_length": task.max_prompt_tokens,
        "data.max_response_length": task.max_completion_tokens,
        "data.filter_overlong_prompts": True,
        "data.seed": derive_seed(experiment.seed, "verl data") % 2**31,
    }


def _objective(experiment: Experiment) -> dict[str, Any]:
    settings = dict(objective_settings(experiment.variant))
    method = settings.pop("_target_").split(".")[-2]
    scheduled = build_scheduled(experiment.variant)
    objective, steers = scheduled.first, "entropy" in scheduled.steered_by.values()
    loss = f"{ACTOR}.policy_loss"
    return {
        "algorithm.adv_estimator": "grpo",
        "algorithm.norm_adv_by_std_in_grpo": experiment.train.normalize_std,
        "algorithm.use_kl_in_reward": False,
        f"{ACTOR}.use_kl_loss": False,  # paper: coefficient 0
        f"{ACTOR}.entropy_coeff": 0,
        f"{ACTOR}.calculate_entropy": objective.needs_entropy or steers,
        f"{ACTOR}.loss_agg_mode": AGGREGATIONS[objective.aggregation],
        f"{loss}._target_": "maspo.integrations.verl.config.PolicyLoss",
        f"{loss}.loss_mode": f"maspo.{method}",
        **{f"+{loss}.settings.{name}": value for name, value in settings.items()},
    }


def _actor(experiment: Experiment, policy: Path) -> dict[str, Any]:
    train, engine = experiment.train, experiment.engine
    return {
        f"{MODEL}.path": policy,
        f"{MODEL}.use_remove_padding": True,
        f"{MODEL}.enable_gradient_checkpointing": True,
        f"{ACTOR}.strategy": "fsdp2",
        f"{ACTOR}.ppo_mini_batch_size": train.prompts_per_batch // train.updates_per_batch,
        f"{ACTOR}.ppo_epochs": 1,
        f"{ACTOR}.use_dynamic_bsz": True,
        f"{ACTOR}.ppo_max_token_len_per_gpu": engine.tokens_per_gpu,
        f"{ACTOR}.fsdp_config.ulysses_sequence_parallel_size": engine.sequence_parallel,
        f"{ACTOR}.fsdp_config.param_offload": engine.offload,
        f"{ACTOR}.fsdp_config.optimizer_offload": engine.offload,
        f"{ACTOR}.fsdp_config.entropy_from_logits_with_chunking": True,
        f"{ACTOR}.optim.lr": train.lr,
        f"{ACTOR}.optim.betas": list(train.betas),
        f"{ACTOR}.optim.weight_decay": train.weight_decay,
        f"{ACTOR}.optim.clip_grad": train.max_grad_norm,
    }


def _rollout(experiment: Experiment) -> dict[str, Any]:
    train, engine, task = experiment.train, experiment.engine, experiment.task
    return {
        f"{ROLLOUT}.name": "vllm",
        f"{ROLLOUT}.n": train.group_size,
        f"{ROLLOUT}.temperature": train.temperature,
        f"{ROLLOUT}.max_model_len": task.max_prompt_tokens + task.max_completion_tokens,
        f"{ROLLOUT}.tensor_model_parallel_size": engine.tensor_parallel,
        f"{ROLLOUT}.gpu_memory_utilization": engine.rollout_memory,
        f"{ROLLOUT}.seed": derive_seed(experiment.seed, "verl rollout") % 2**31,
    }


def _reward(experiment: Experiment) -> dict[str, Any]:
    train = experiment.train
    return {
        f"{REWARD}.path": "pkg://maspo.integrations.verl.reward",
        f"{REWARD}.name": "compute_score",
        f"+{REWARD}.reward_kwargs.extraction": list(experiment.task.extraction),
        f"+{REWARD}.reward_kwargs.reward": train.reward,
        f"+{REWARD}.reward_kwargs.false_negatives": train.false_negatives,
        f"+{REWARD}.reward_kwargs.false_positives": train.false_positives,
        "reward.num_workers": experiment.engine.reward_workers,
    }


def _trainer(experiment: Experiment, checkpoints: Path) -> dict[str, Any]:
    train, engine = experiment.train, experiment.engine
    return {
        "trainer.project_name": f"maspo_{experiment.scale}",
        "trainer.experiment_name": f"{experiment.variant}_seed_{experiment.seed}",
        "trainer.logger": ["console", "file"],
        "trainer.total_training_steps": train.steps,
        "trainer.total_epochs": 10**6,  # the number of steps decides
        "trainer.save_freq": train.checkpoint_every,
        "trainer.max_actor_ckpt_to_keep": 1,
        "trainer.default_local_dir": checkpoints,
        "trainer.resume_mode": "auto",
        "trainer.val_before_train": False,
        "trainer.test_freq": -1,
        "trainer.nnodes": engine.nodes,
        "trainer.n_gpus_per_node": engine.gpus_per_node,
    }


def _render(settings: dict[str, Any]) -> Iterator[str]:
    """Yield settings in Hydra's override grammar."""
    for name, value in settings.items():
        yield f"{name}={hydra_value(value)}"
