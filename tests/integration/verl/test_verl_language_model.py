"""A real language model trained by verl's worker with MASPO: `make test-verl` builds the model."""

import math
import os
import time

import pytest
import torch
from verl_case import make_worker, method_overrides, to_tensordict, tu

from maspo.policy import encode_prompts, load_policy, pad_batch, token_log_probs
from maspo.sampling import SamplingSettings
from maspo.sampling.transformers import TransformersSampler
from maspo.tasks import Problem

pytestmark = pytest.mark.skipif(
    "MASPO_LM" not in os.environ, reason="no language model is named by MASPO_LM: make test-verl"
)
EXAMPLES = (("Kim has 4 pens and gets 5 more. How many has she?", "\\boxed{9}"),)
QUESTIONS = ("Tom has 3 apples and gets 4 more. How many has he?", "Ann has 9 coins. She loses 2.")
GENERATIONS, UPDATES, GROUP = 2, 2, 2
ADVANTAGES = [1.0, -1.0] * len(QUESTIONS)  # of a group whose first completion alone is right
LR = 1e-5


def take_weights(policy, worker):
    """Copy the weights that verl has trained into a policy of this package."""
    trained = dict(worker.engine.module.named_parameters())
    with torch.no_grad():
        for name, parameter in policy.named_parameters():
            parameter.copy_(trained[name].full_tensor())


def test_two_generations_of_two_updates():
    folder = os.environ["MASPO_LM"]
    policy, tokenizer = load_policy(folder)
    worker = make_worker(
        folder,
        *method_overrides("maspo"),
        f"actor_rollout_ref.actor.optim.lr={LR}",
        "actor_rollout_ref.actor.optim.clip_grad=1.0",
        micro_batch=2,
    )
    problems = [Problem.create(question, "7", "words", EXAMPLES) for question in QUESTIONS]
    prompts = [p for p in encode_prompts(tokenizer, problems, 256) for _ in range(GROUP)]
    before = policy.lm_head.weight.detach().clone()
    for generation in range(GENERATIONS):
        seeds = range(generation * len(prompts), (generation + 1) * len(prompts))
        drawn = TransformersSampler(policy, tokenizer, 8).sample(
            prompts, seeds, SamplingSettings(12)
        )
        completions = [list(completion.tokens) for completion in drawn]
        batch = pad_batch(prompts, completions, tokenizer.pad_token_id)
        with torch.no_grad():
            scores, _ = token_log_probs(policy, batch)
        old = [row[mask] for row, mask in zip(scores, batch.mask, strict=True)]
        sequences = [[torch.tensor(ids) for ids in rows] for rows in (prompts, completions)]
        for update in range(UPDATES):
            data = to_tensordict(*sequences, old, ADVANTAGES)  # verl changes what it is given
            start = time.process_time()
            metrics = tu.get(worker.train_mini_batch(data), "metrics")
            seconds = time.process_time() - start
            names = ("loss", "grad_norm", "actor/ratio_min", "actor/ratio_max")
            loss, norm, low, high = (metrics[name][0] for name in names)
            print(f"{seconds:.1f} CPU s, loss {loss:.6f}, norm {norm:.3f}, ratio {low} to {high}")
            assert math.isfinite(loss)
            assert 0 < norm < 1e4
            on_policy = low == pytest.approx(1, abs=1e-4) and high == pytest.approx(1, abs=1e-4)
            assert on_policy == (update == 0)  # the first update is by the policy that drew
        take_weights(policy, worker)
    moved = (policy.lm_head.weight - before).abs().max()
    assert 0 < moved < 10 * LR * GENERATIONS * UPDATES
