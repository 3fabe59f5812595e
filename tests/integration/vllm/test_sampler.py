"""vLLM as a sampler: the tokens, log-probabilities and weights are those of the policy."""

import copy

import pytest
import torch

from maspo.policy import pack, token_log_probs
from maspo.sampling import SamplingSettings
from maspo.sampling.transformers import TransformersSampler
from maspo.sampling.vllm import VllmSampler

PROMPTS = [[5, 12, 9, 15], [2, 13, 3, 14, 4, 15], [6, 12, 6, 15], [8, 14, 8, 15]] * 4
SEEDS = list(range(len(PROMPTS)))
SETTINGS = SamplingSettings(max_tokens=12)
COLD = SamplingSettings(max_tokens=12, temperature=1e-4)


def tokens(completions):
    return [completion.tokens for completion in completions]


@pytest.fixture
def moved(engine):
    """Change the policy's weights for one test."""
    before = copy.deepcopy(engine.policy.state_dict())
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in engine.policy.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape, generator=generator))
    yield engine
    engine.policy.load_state_dict(before)


def check_log_probs(sampler, settings):
    completions = sampler.sample(PROMPTS, SEEDS, settings)
    packed = pack(PROMPTS, tokens(completions), sampler.tokenizer.pad_token_id)
    with torch.no_grad():
        expected, _ = token_log_probs(sampler.policy, packed, settings.temperature)
    for completion, row, mask in zip(completions, expected, packed.mask, strict=True):
        drawn = torch.tensor(completion.log_probs)
        assert torch.allclose(drawn, row[mask], atol=1e-3), (drawn - row[mask]).abs().max()


def test_greedy_tokens_are_those_of_transformers(engine):
    own = TransformersSampler(engine.policy, engine.tokenizer, batch_size=4)
    assert tokens(engine.sample(PROMPTS, SEEDS, COLD)) == tokens(own.sample(PROMPTS, SEEDS, COLD))


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_are_the_policys(engine, temperature):
    check_log_probs(engine, SamplingSettings(12, temperature))


def test_same_seed_same_completion_in_any_company(engine):
    first = engine.sample(PROMPTS, SEEDS, SETTINGS)
    assert engine.sample(PROMPTS, SEEDS, SETTINGS) == first
    assert tokens(engine.sample(PROMPTS[1:2], SEEDS[1:2], SETTINGS)) == tokens(first[1:2])
    other = engine.sample(PROMPTS, [seed + 100 for seed in SEEDS], SETTINGS)
    assert tokens(other) != tokens(first)


def test_completions_of_one_prompt_differ_by_seed(engine):
    drawn = tokens(engine.sample(PROMPTS[:1] * 32, list(range(32)), SETTINGS))
    assert len(set(drawn)) > 16


def test_completions_stop_at_the_end_token_or_at_the_limit(engine):
    eos = engine.tokenizer.eos_token_id
    for completion in engine.sample(PROMPTS, SEEDS, SETTINGS):
        assert eos not in completion.tokens[:-1]
        assert len(completion.tokens) == 12 or completion.tokens[-1] == eos
        assert len(completion.log_probs) == len(completion.tokens)


def test_new_weights_are_used_at_the_next_call(engine, moved):
    check_log_probs(engine, SETTINGS)
    own = TransformersSampler(engine.policy, engine.tokenizer, batch_size=4)
    assert tokens(engine.sample(PROMPTS, SEEDS, COLD)) == tokens(own.sample(PROMPTS, SEEDS, COLD))


def test_moving_the_weights_changes_the_completions(engine, request):
    before = engine.sample(PROMPTS, SEEDS, SETTINGS)
    request.getfixturevalue("moved")
    assert tokens(engine.sample(PROMPTS, SEEDS, SETTINGS)) != tokens(before)


def test_a_prompt_that_is_too_long_is_its_own_error(engine):
    long = [2] * (engine.context - 11)
    alone = engine.sample(PROMPTS[:2], SEEDS[:2], SETTINGS)
    first, failed, second = engine.sample(
        [PROMPTS[0], long, PROMPTS[1]], [SEEDS[0], 9, SEEDS[1]], SETTINGS
    )
    assert [first.tokens, second.tokens] == tokens(alone)
    assert failed.tokens == ()
    assert f"{len(long)} tokens" in failed.error
    assert f"context of {engine.context}" in failed.error


def test_a_prompt_that_just_fits_is_answered(engine):
    prompt = [2] * (engine.context - 12)
    assert engine.sample([prompt], [1], COLD)[0].error is None


def test_a_second_engine_starts_after_an_error(engine, wide_policy, settings):
    """Runs last: it ends the module's engine, and starts another in the same process."""
    engine.close()
    with (
        pytest.raises(RuntimeError, match="by the test"),
        VllmSampler(*wide_policy, settings, engine.context) as sampler,
    ):
        raise RuntimeError("by the test")
    assert sampler.engine is None
    with VllmSampler(*wide_policy, settings, engine.context) as sampler:
        check_log_probs(sampler, SETTINGS)
    engine.close()
