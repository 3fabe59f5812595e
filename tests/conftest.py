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
