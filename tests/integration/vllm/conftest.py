"""The real engine of vLLM, on the CPU, or a skip that says how to get it."""

import pytest

from needs import skip_without

pytest_pycollect_makemodule = skip_without("vllm", "make test-vllm")

CONTEXT = 32
# Wide enough for a head size that the engine has a kernel for, and spread enough that a wrong
# weight, or one of the last update, shows in every log-probability.
ARCHITECTURE = {
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "intermediate_size": 128,
    "max_position_embeddings": 320,
    "initializer_range": 0.1,
}


@pytest.fixture(scope="session")
def wide_policy():
    """Return an untrained policy whose head size the engine knows, and its tokenizer."""
    from maspo.policy import build_policy, build_tokenizer

    # With these weights no two tokens are so near that the engine's rounding exchanges them.
    tokenizer = build_tokenizer("0123456789+-*?=;#")
    return build_policy(ARCHITECTURE, tokenizer, seed=3), tokenizer


@pytest.fixture(scope="session")
def settings():
    """Return the sampler's settings as a run on the CPU gets them."""
    from maspo.config import load_experiment

    return load_experiment(["scale=smoke", "sampler=vllm"]).sampler


@pytest.fixture(scope="module")
def context():
    """Return the engine's context, in tokens; a module may have its own."""
    return CONTEXT


@pytest.fixture(scope="module")
def engine(wide_policy, settings, context):
    """Return one engine for the tests of a module."""
    from maspo.sampling.vllm import VllmSampler

    with VllmSampler(*wide_policy, settings, context) as sampler:
        yield sampler


@pytest.fixture
def moved(engine):
    """Change the policy's weights for one test."""
    import copy

    import torch

    before = copy.deepcopy(engine.policy.state_dict())
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in engine.policy.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    yield engine
    engine.policy.load_state_dict(before)
