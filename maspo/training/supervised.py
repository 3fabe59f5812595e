"""The base policies: supervised training on demonstrations.

In the miniature these are often wrong: a base policy knows some facts of the task, holds
misconceptions about others and is unsure of the rest. So there is something for RL with verifiable
rewards to do, and something that it cannot do: a result that is never sampled is never rewarded. A
pretrained policy is only shown what an answer looks like.
"""

import time
from pathlib import Path

import torch
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerBase,
    get_cosine_schedule_with_warmup,
)

from maspo.config import Supervised
from maspo.policy import encode_together, pad_batch, token_log_probs
from maspo.seeding import numpy_generator
from maspo.tasks import Lessons, Problem
from maspo.training.log import TrainingLog


def train_base(
    policy: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    problems: list[Problem],
    lessons: Lessons,
    settings: Supervised,
    seed: int,
    folder: Path,
) -> None:
    """Train `policy` in place, with AdamW, a linear warm-up and a cosine decay to zero.

    The learning curve (mean negative log-likelihood of a demonstration token, in nats, over the
    steps since the last row) goes to ``metrics.jsonl`` in `folder`, the seconds to
    ``timings.jsonl``.
    """
    optimizer = torch.optim.AdamW(policy.parameters(), lr=settings.lr, weight_decay=0.0)
    schedule = get_cosine_schedule_with_warmup(optimizer, settings.warmup_steps, settings.steps)
    policy.train()
    losses: list[float] = []
    start = time.perf_counter()
    with TrainingLog(folder, f"base seed {seed}", settings.steps) as log:
        for step in range(1, settings.steps + 1):
            rng = numpy_generator(seed, "demonstrations", step)
            chosen = [problems[i] for i in rng.integers(len(problems), size=settings.batch_size)]
            questions = [problem.question for problem in chosen]
            demonstrations = [lessons.demonstrate(question, rng) for question in questions]
            answers = tokenizer(demonstrations, add_special_tokens=False).input_ids
            batch = pad_batch(
                encode_together(tokenizer, chosen),
                [[*ids, tokenizer.eos_token_id] for ids in answers],
                tokenizer.pad_token_id,
                policy.device,
            )
            log_prob, _ = token_log_probs(policy, batch)
            loss = -log_prob[batch.valid].mean()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(policy.parameters(), settings.max_grad_norm)
            optimizer.step()
            schedule.step()
            optimizer.zero_grad()
            losses.append(loss.item())
            if step % settings.log_every == 0 or step == settings.steps:
                metrics = {"loss": sum(losses) / len(losses), "lr": schedule.get_last_lr()[0]}
                log.write(step, metrics, {"seconds": time.perf_counter() - start})
                losses.clear()
    policy.eval()
