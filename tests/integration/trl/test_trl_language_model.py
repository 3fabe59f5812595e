"""A real language model trained by TRL with MASPO: `make test-trl` builds and names the model."""

import copy
import os

import pytest
import torch
from trl_case import make_trainer

from maspo.policy import load_policy
from maspo.tasks import Problem

pytestmark = pytest.mark.skipif(
    "MASPO_LM" not in os.environ, reason="no language model is named by MASPO_LM: make test-trl"
)
EXAMPLES = (("Kim has 4 pens and gets 5 more. How many has she?", "\\boxed{9}"),)
QUESTIONS = {"Tom has 3 apples and gets 4 more. How many has he?": "7"}
QUESTIONS["Ann has 9 coins and loses 2. How many are left?"] = "7"
GENERATIONS, UPDATES = 2, 2


def parity(completions, **_):
    """Reward every second completion of a group, so that each has something to learn."""
    return [float(i % 2) for i in range(len(completions))]


def test_two_generations_of_two_updates(tmp_path):
    policy, tokenizer = load_policy(os.environ["MASPO_LM"])
    before = copy.deepcopy(policy.model.layers[0].self_attn.q_proj.weight.detach())
    problems = [Problem.create(q, answer, "words", EXAMPLES) for q, answer in QUESTIONS.items()]
    trainer = make_trainer(
        policy,
        tokenizer,
        problems,
        tmp_path,
        "maspo",
        reward=parity,
        num_generations=2,
        per_device_train_batch_size=2,
        steps_per_generation=UPDATES,
        max_completion_length=12,
        max_steps=GENERATIONS * UPDATES,
        learning_rate=1e-5,
    )
    trainer.train()
    log = [row for row in trainer.state.log_history if "objective/ratio_max" in row]
    assert len(log) == GENERATIONS * UPDATES
    for i, row in enumerate(log):
        print({k: row[k] for k in ("loss", "grad_norm", "objective/ratio_max", "step_time")})
        assert 0 < row["grad_norm"] < 1e4
        assert row.get("reward", 0.5) == 0.5  # told with the first update of a generation
        first = i % UPDATES == 0  # update of a generation, by the very policy that drew it
        near = row["objective/ratio_max"] == pytest.approx(1, abs=1e-4)
        assert near == first
    after = policy.model.layers[0].self_attn.q_proj.weight
    assert 0 < (after - before).abs().max() < 1e-3
    assert torch.isfinite(after).all()
