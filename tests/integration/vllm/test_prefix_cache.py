"""Long prompts: completions of one share its keys and values, until the weights change."""

import pytest
import torch

from maspo.policy import pad_batch, token_log_probs
from maspo.sampling import SamplingSettings

BLOCK = 128  # tokens that the engine caches together on a CPU; only whole blocks are shared
PROMPT = [2 + i * i % 13 for i in range(2 * BLOCK + 8)]
SETTINGS = SamplingSettings(max_tokens=8)


@pytest.fixture(scope="module")
def context():
    return len(PROMPT) + SETTINGS.max_tokens


def gap(sampler, completions, prompts=None):
    """Return the largest difference to the policy's own log-probabilities."""
    tokens = [completion.tokens for completion in completions]
    prompts = prompts or [PROMPT] * len(tokens)
    padded = pad_batch(prompts, tokens, sampler.tokenizer.pad_token_id)
    with torch.no_grad():
        expected, _ = token_log_probs(sampler.policy, padded, 1.0)
    drawn = [torch.tensor(completion.log_probs) for completion in completions]
    return (torch.cat(drawn) - expected[padded.mask]).abs().max().item()


def test_a_group_of_32_computes_its_prompt_once(engine):
    completions = engine.sample([PROMPT] * 32, list(range(32)), SETTINGS)
    assert engine.cached_tokens == 31 * 2 * BLOCK
    assert gap(engine, completions) < 1e-3
    assert len({completion.tokens for completion in completions}) > 16


def test_what_was_cached_of_old_weights_is_dropped(engine, request):
    engine.sample([PROMPT] * 2, [1, 2], SETTINGS)
    request.getfixturevalue("moved")
    completions = engine.sample([PROMPT] * 2, [1, 2], SETTINGS)
    assert engine.cached_tokens == 2 * BLOCK  # the second request's, from the first
    assert gap(engine, completions) < 1e-3


def test_more_prompts_than_one_pass_takes(engine):
    """vLLM would cut the prompt that no longer fits the pass; with seeds it cannot on a CPU."""
    prompts = [[2 + (i * i + j) % 13 for i in range(len(PROMPT) - j)] for j in range(64)]
    completions = engine.sample(prompts, list(range(64)), SETTINGS)
    assert gap(engine, completions, prompts) < 1e-3
