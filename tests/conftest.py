"""Shared pieces: a tiny policy and problems, the same for every test."""

import os

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")

ARCHITECTURE = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
}


@pytest.fixture
def tiny_policy():
    """Return an untrained policy of a few thousand parameters and its tokenizer."""
    from maspo.policy import build_policy, build_tokenizer
    from maspo.tasks.chain import CHARACTERS

    tokenizer = build_tokenizer(CHARACTERS)
    return build_policy(ARCHITECTURE, tokenizer, seed=3), tokenizer


@pytest.fixture
def chain_problems():
    """Return 40 chain problems of two to four terms."""
    from maspo.seeding import numpy_generator
    from maspo.tasks import Problem
    from maspo.tasks.chain import draw_question, solve

    rng = numpy_generator(0, "test problems")
    questions = [draw_question(2 + i % 3, rng) for i in range(40)]
    return [Problem.create(question, solve(question), "chain") for question in questions]


@pytest.fixture(scope="session")
def half_trained():
    """Return a function that trains a small base policy until it knows its task halfway."""
    from maspo.policy import build_policy, save_policy
    from maspo.tasks.chain import make_chain
    from maspo.training.supervised import train_base

    def train(experiment, tokenizer, folder):
        policy = build_policy(experiment.model.architecture, tokenizer, seed=1)
        problems = make_chain(experiment.task).training
        folder.mkdir(parents=True, exist_ok=True)
        train_base(policy, tokenizer, problems, experiment.model.supervised, folder)
        save_policy(folder / "policy", policy, tokenizer)
        return folder / "policy"

    return train
