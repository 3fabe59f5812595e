"""What the TRL tests share: a trainer on the tiny policy and a batch as TRL's own code makes it."""

import torch
from datasets import Dataset
from trl import GRPOConfig, GRPOTrainer

from maspo.integrations.trl import MaspoTrainer, verifier_reward


def rows(problems):
    """Return problems as a dataset of TRL."""
    return Dataset.from_list(
        [{"prompt": list(problem.messages), "answer": problem.answer} for problem in problems]
    )


def settings(folder, **changed):
    """Return TRL's settings for a run of a few steps."""
    defaults = {
        "output_dir": str(folder),
        "num_generations": 4,
        "per_device_train_batch_size": 8,
        "max_completion_length": 12,
        "max_steps": 1,
        "learning_rate": 1e-3,
        "lr_scheduler_type": "constant",
        "max_grad_norm": 1.0,
        "beta": 0.0,
        "logging_steps": 1,
        "report_to": [],
        "use_cpu": True,
        "save_strategy": "no",
        "disable_tqdm": True,
        "seed": 1,
        "bf16": False,
        "gradient_checkpointing": False,
    }
    return GRPOConfig(**(defaults | changed))


def make_trainer(
    policy, tokenizer, problems, folder, objective=None, reward=None, importance_cap=None, **changed
):
    """Return our trainer with an objective, or TRL's own with none."""
    arguments = {
        "model": policy,
        "args": settings(folder, **changed),
        "train_dataset": rows(problems),
        "reward_funcs": reward or verifier_reward(["equals"], workers=1),
        "processing_class": tokenizer,
    }
    if objective is None:
        return GRPOTrainer(**arguments)
    return MaspoTrainer(objective=objective, importance_cap=importance_cap, **arguments)


LENGTHS = (5, 3, 9, 1, 7, 4, 2, 6)


def draw_inputs(policy, vocabulary, seed=0, rows=8):
    """Return a micro-batch as TRL's `_prepare_inputs` makes it, with old log-probabilities."""
    random = torch.Generator().manual_seed(seed)
    lengths = torch.tensor(LENGTHS[:rows]).roll(seed)
    width = int(lengths.max())
    mask = (torch.arange(width) < lengths[:, None]).long()
    prompts = torch.randint(2, vocabulary, (rows, 4), generator=random)
    completions = torch.randint(2, vocabulary, (rows, width), generator=random) * mask
    ids = torch.cat([prompts, completions], 1)
    attention = torch.cat([torch.ones_like(prompts), mask], 1)
    with torch.no_grad():
        logits = policy(input_ids=ids, attention_mask=attention).logits[:, 3:-1]
    own = torch.log_softmax(logits, -1).gather(-1, completions[..., None]).squeeze(-1)
    return {
        "prompt_ids": prompts,
        "prompt_mask": torch.ones_like(prompts),
        "completion_ids": completions,
        "completion_mask": mask,
        "advantages": torch.randn(rows, generator=random),
        "old_per_token_logps": own + 0.5 * torch.randn(own.shape, generator=random),
        "num_items_in_batch": mask.sum(),
    }
