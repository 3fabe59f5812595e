"""What the verl tests share: verl's configuration, its worker on the CPU, a batch."""

import os
import socket
from functools import cache, partial

import torch
from hydra import compose, initialize_config_module
from tensordict import TensorDict
from verl.utils import tensordict_utils as tu
from verl.utils.config import omega_conf_to_dataclass
from verl.workers.config import TrainingWorkerConfig
from verl.workers.utils.losses import ppo_loss

from maspo.integrations.verl.worker import ActorWorker
from maspo.objectives import PolicyBatch, names

METHODS = names()
ACTOR = "actor_rollout_ref.actor"
OURS = f"{ACTOR}.policy_loss._target_=maspo.integrations.verl.config.PolicyLoss"
FLOAT32 = "{param_dtype: fp32, reduce_dtype: fp32, buffer_dtype: fp32}"
ON_CPU = [
    f"{ACTOR}.strategy=fsdp2",  # verl's FSDP1 path synchronises module states: refused on a CPU
    f"{ACTOR}.fsdp_config.use_torch_compile=false",
    f"+{ACTOR}.fsdp_config.mixed_precision={FLOAT32}",
    f"{ACTOR}.optim.total_training_steps=10",
    f"{ACTOR}.optim.clip_grad=1e9",
    "actor_rollout_ref.model.use_remove_padding=false",
    "+actor_rollout_ref.model.override_config.attn_implementation=eager",
]


def compose_config(*overrides):
    """Return verl's own `ppo_trainer` configuration with overrides."""
    fixed = [f"{ACTOR}.ppo_micro_batch_size_per_gpu=2", "actor_rollout_ref.rollout.name=vllm"]
    with initialize_config_module("verl.trainer.config", version_base=None):
        return compose("ppo_trainer", overrides=[*fixed, *overrides])


def actor_config(*overrides):
    """Return verl's actor configuration as the dataclass that its worker gets."""
    config = compose_config("actor_rollout_ref.rollout.n=2", *overrides)
    return omega_conf_to_dataclass(config.actor_rollout_ref.actor)


def method_overrides(method, **settings):
    """Return the overrides that choose one of our methods."""
    chosen = [OURS, f"{ACTOR}.policy_loss.loss_mode=maspo.{method}"]
    values = {k: "null" if v is None else v for k, v in settings.items()}
    return chosen + [f"+{ACTOR}.policy_loss.settings.{k}={v}" for k, v in values.items()]


@cache
def _process_group():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    os.environ.update(
        RANK="0", WORLD_SIZE="1", LOCAL_RANK="0", MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port)
    )


def make_worker(folder, *overrides, micro_batch=None, max_tokens=None):
    """Return verl's training worker on the policy in `folder`, with verl's own actor loss.

    Micro-batches have `micro_batch` sequences, or at most `max_tokens` tokens each.
    """
    _process_group()
    path = f"actor_rollout_ref.model.path={folder}"
    config = compose_config("actor_rollout_ref.rollout.n=2", path, *ON_CPU, *overrides)
    actor = omega_conf_to_dataclass(config.actor_rollout_ref.actor)
    actor.model_config = omega_conf_to_dataclass(config.actor_rollout_ref.model)
    engine = actor.engine
    engine.use_dynamic_bsz = max_tokens is not None
    engine.max_token_len_per_gpu = engine.infer_max_token_len_per_gpu = max_tokens
    engine.micro_batch_size_per_gpu = engine.infer_micro_batch_size_per_gpu = micro_batch
    worker = ActorWorker(
        TrainingWorkerConfig(
            model_type="language_model",
            model_config=actor.model_config,
            engine_config=engine,
            optimizer_config=actor.optim,
            checkpoint_config=actor.checkpoint,
            profiler_config=None,
        )
    )
    worker.reset()
    worker.set_loss_fn(partial(ppo_loss, config=actor))
    return worker


PROMPTS, RESPONSES = (3, 4, 5, 3, 6, 2), (4, 6, 2, 5, 3, 7)


def draw_batch(vocabulary, seed=0):
    """Return prompts, completions, noise on old log-probabilities and advantages, as lists."""
    random = torch.Generator().manual_seed(seed)
    prompts = [torch.randint(2, vocabulary, (n,), generator=random) for n in PROMPTS]
    completions = [torch.randint(2, vocabulary, (n,), generator=random) for n in RESPONSES]
    noise = [0.6 * torch.randn(n, generator=random) for n in RESPONSES]
    advantages = [1.0, -0.7, 1.4, -1.1, 0.0, 0.5]
    return prompts, completions, noise, advantages


def nested(tensors):
    """Return a jagged tensor, which is how verl's workers get sequences."""
    return torch.nested.as_nested_tensor(list(tensors), layout=torch.jagged)


def to_tensordict(prompts, completions, old_log_prob, advantages):
    """Return a mini-batch in the layout that verl's trainer sends to its workers."""
    ones = [torch.ones(len(c), dtype=torch.long) for c in completions]
    both = [torch.cat(pair) for pair in zip(prompts, completions, strict=True)]
    data = TensorDict(
        {
            "prompts": nested(prompts),
            "responses": nested(completions),
            "input_ids": nested(both),
            "position_ids": nested([torch.arange(len(ids)) for ids in both]),
            "response_mask": nested(ones),
            "loss_mask": nested(ones),
            "old_log_probs": nested(old_log_prob),
            "advantages": nested(
                [torch.full((len(c),), a) for c, a in zip(completions, advantages, strict=True)]
            ),
        },
        batch_size=[len(prompts)],
    )
    tu.assign_non_tensor(
        data,
        calculate_entropy=True,
        global_batch_size=len(prompts),
        mini_batch_size=len(prompts),
        epochs=1,
        seed=1,
        dataloader_kwargs={"shuffle": False},
        temperature=1.0,
    )
    return data


def policy_batch(policy, prompts, completions, noise, advantages):
    """Return the mini-batch of `draw_batch` in one piece for our objectives, and the old rows."""
    from maspo.policy import pad_batch, token_log_probs

    padded = pad_batch([p.tolist() for p in prompts], [c.tolist() for c in completions], 0)
    log_prob, entropy = token_log_probs(policy, padded, entropy=True)
    old = log_prob.detach().clone()
    for row, values in enumerate(noise):
        old[row, : len(values)] += values
    expanded = torch.tensor(advantages)[:, None].expand(padded.mask.shape)
    batch = PolicyBatch(log_prob, old, expanded, padded.mask, entropy)
    return batch, [old[row, : len(values)] for row, values in enumerate(noise)]
