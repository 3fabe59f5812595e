"""Our verifier behind verl's custom reward function, asked by verl's own reward manager."""

import asyncio

import numpy as np
import pytest
import torch
from verl import DataProto
from verl.experimental.reward_loop import RewardLoopWorker
from verl_case import compose_config

REWARD = "reward.custom_reward_function"
# Its value has more digits than the universe has atoms; some graders hang on it in C code.
HOSTILE = r"so \boxed{9^{9^{9^{9}}}}"


@pytest.fixture
def ask(policy_folder, monkeypatch):
    """Return a function from completions and gold answers to what verl's reward worker says."""
    config = compose_config(
        f"actor_rollout_ref.model.path={policy_folder}",
        f"{REWARD}.path=pkg://maspo.integrations.verl.reward",
        f"{REWARD}.name=compute_score",
        f"+{REWARD}.reward_kwargs.extraction=[boxed]",
    )
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = RewardLoopWorker(config)
    texts = {}
    monkeypatch.setattr(
        worker.reward_manager.tokenizer, "decode", lambda ids, **_: texts[int(ids[0])]
    )

    def answers(completions, golds):
        count = len(completions)
        texts.update(enumerate(completions))
        data = DataProto.from_dict(
            tensors={
                "responses": torch.arange(count)[:, None],
                "prompts": torch.zeros(count, 1, dtype=torch.long),
                "attention_mask": torch.ones(count, 2, dtype=torch.long),
            },
            non_tensors={
                "data_source": np.array(["test"] * count, dtype=object),
                "reward_model": np.array([{"ground_truth": g} for g in golds], dtype=object),
                "extra_info": np.array([{} for _ in golds], dtype=object),
            },
        )
        return loop.run_until_complete(worker.compute_score_batch(data))

    yield answers
    loop.close()


def test_reward_manager_gets_our_verdicts(ask):
    answers = ask(
        [r"it is \boxed{12}", r"\boxed{13}", "twelve", r"\boxed{\frac{2}{4}}"],
        ["12", "12", "12", r"\frac12"],
    )
    assert [answer["reward_score"] for answer in answers] == [1.0, 0.0, 0.0, 1.0]
    assert [answer["reward_extra_info"]["no_answer"] for answer in answers] == [0, 0, 1, 0]


def test_hostile_completion_leaves_the_worker_alive(ask):
    (answer,) = ask([HOSTILE], [r"\frac12"])
    assert answer["reward_score"] == 0.0
    # A second time and among others: the same worker still answers.
    mixed = ask([HOSTILE, r"\boxed{\sqrt{4}}", HOSTILE], [r"\frac12", "2", "3"])
    assert [answer["reward_score"] for answer in mixed] == [0.0, 1.0, 0.0]
