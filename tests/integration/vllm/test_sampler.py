"""vLLM as a sampler: the tokens, log-probabilities and weights are those of the policy."""

import signal
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import MagicMock

import psutil
import pytest
import torch
from transformers import TopPLogitsWarper

from maspo.errors import ConfigError
from maspo.policy import pad_batch, token_log_probs
from maspo.sampling import SamplingSettings
from maspo.sampling.transformers import TransformersSampler
from maspo.sampling.vllm import VllmSampler

PROMPTS = [[5, 12, 9, 15], [2, 13, 3, 14, 4, 15], [6, 12, 6, 15], [8, 14, 8, 15]] * 4
SEEDS = list(range(len(PROMPTS)))
SETTINGS = SamplingSettings(max_tokens=12)
COLD = SamplingSettings(max_tokens=12, temperature=1e-4)  # greedy


def tokens(completions):
    return [completion.tokens for completion in completions]


def check_log_probs(sampler, settings):
    completions = sampler.sample(PROMPTS, SEEDS, settings)
    padded = pad_batch(PROMPTS, tokens(completions), sampler.tokenizer.pad_token_id)
    with torch.no_grad():
        expected, _ = token_log_probs(sampler.policy, padded, settings.temperature)
    for completion, row, mask in zip(completions, expected, padded.mask, strict=True):
        drawn = torch.tensor(completion.log_probs)
        assert torch.allclose(drawn, row[mask], atol=1e-3), (drawn - row[mask]).abs().max()


def generated(sampler, prompt):
    """Return the greedy completion of a prompt as `transformers.generate` finds it."""
    ids = torch.tensor([prompt])
    whole = sampler.policy.generate(
        ids, attention_mask=torch.ones_like(ids), do_sample=False, max_new_tokens=12
    )
    return tuple(whole[0, len(prompt) :].tolist())


def test_greedy_tokens_are_those_of_transformers(engine):
    greedy = tokens(engine.sample(PROMPTS, SEEDS, COLD))
    assert greedy == [generated(engine, prompt) for prompt in PROMPTS]
    own = TransformersSampler(engine.policy, engine.tokenizer, batch_size=4)
    assert greedy == tokens(own.sample(PROMPTS, SEEDS, COLD))
    assert len(set(greedy)) == 4  # as many as there are prompts


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_are_the_policys(engine, temperature):
    check_log_probs(engine, SamplingSettings(12, temperature))


def test_nucleus_draws_and_counts_within_the_nucleus(engine):
    completions = engine.sample(PROMPTS, SEEDS, SamplingSettings(1, top_p=0.5))
    nucleus = TopPLogitsWarper(0.5)
    for prompt, completion in zip(PROMPTS, completions, strict=True):
        with torch.no_grad():
            logits = engine.policy(torch.tensor([prompt])).logits[:, -1].float()
        expected = torch.log_softmax(nucleus(None, logits), -1)[0, completion.tokens[0]]
        assert completion.log_probs[0] == pytest.approx(expected.item(), abs=1e-3)


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


def addresses(sampler):
    return sampler.engine.apply_model(lambda m: {n: p.data_ptr() for n, p in m.named_parameters()})


def test_weights_are_copied_into_the_engines_own(engine, request):
    """No reload, and no second copy: the tensors stay where they are."""
    engine.update_weights()
    before, llm = addresses(engine), engine.engine
    request.getfixturevalue("moved")
    engine.sample(PROMPTS, SEEDS, SETTINGS)
    assert addresses(engine) == before
    assert engine.engine is llm
    taken = {p.data_ptr() for p in engine.policy.parameters()}
    assert not taken & set(before[0].values())


def test_the_trainer_still_sets_its_threads(engine):
    before = torch.get_num_threads()
    torch.set_num_threads(before + 1)
    assert torch.get_num_threads() == before + 1
    torch.set_num_threads(before)


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


def test_the_engine_starts_as_the_trainer_set_torch(wide_policy, settings, context, monkeypatch):
    """vLLM's worker on a GPU sets precision and threads in this process; it must set the same."""
    import vllm.envs as envs

    asked = {}
    envs.disable_envs_cache()  # which an engine before this one has filled

    def engine(**arguments):
        asked.update(arguments, precision=envs.VLLM_FLOAT32_MATMUL_PRECISION)
        asked.update(flashinfer=envs.VLLM_USE_FLASHINFER_SAMPLER, level=envs.VLLM_LOGGING_LEVEL)
        torch.set_float32_matmul_precision(envs.VLLM_FLOAT32_MATMUL_PRECISION)  # gpu_worker.py
        torch.set_num_threads(1)  # utils/torch_utils.py
        return MagicMock()

    before, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    monkeypatch.setattr("vllm.LLM", engine)
    for name in ("VLLM_LOGGING_LEVEL", "VLLM_FLOAT32_MATMUL_PRECISION"):
        monkeypatch.delenv(name, raising=False)
    try:
        for wanted in ("high", "highest"):
            torch.set_num_threads(before + 1)
            torch.set_float32_matmul_precision(wanted)
            VllmSampler(*wide_policy, settings, context, device="cuda")._start()
            assert torch.get_float32_matmul_precision() == asked["precision"] == wanted
            assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)
        torch.set_float32_matmul_precision(precision)
    assert not asked["flashinfer"]
    assert asked["enable_flashinfer_autotune"] is False
    assert asked["enable_chunked_prefill"] is True
    assert asked["level"] == "INFO"


def test_an_evaluation_asks_for_no_log_probs(engine):
    """Host memory: an object a token is 434 bytes, and an evaluation has 200 million tokens."""
    silent = engine.sample(PROMPTS, SEEDS, replace(SETTINGS, log_probs=False))
    spoken = engine.sample(PROMPTS, SEEDS, SETTINGS)
    assert tokens(silent) == tokens(spoken)
    assert all(completion.log_probs is None for completion in silent)
    assert all(completion.log_probs.itemsize == 4 for completion in spoken)
    request = engine._request(1, SETTINGS)
    assert (request.logprobs, request.flat_logprobs) == (0, True)
    assert engine._request(1, replace(SETTINGS, log_probs=False)).logprobs is None


@contextmanager
def interrupted(seconds):
    """Raise TimeoutError inside the block after some seconds, wherever it is then."""

    def stop(*_):
        raise TimeoutError("by the test")

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def sample_until_interrupted(sampler):
    work = (PROMPTS * 32, SEEDS * 32, SETTINGS)
    sampler.sample(*work)  # compiles; torch would give the error another type there
    with interrupted(0.2):
        while True:
            sampler.sample(*work)


def test_heads_without_a_kernel_are_refused_before_the_engine_starts(settings, tiny_policy):
    with (
        pytest.raises(ConfigError, match=r"heads of 8 .*32, 64.*model=mini_heads_32"),
        VllmSampler(*tiny_policy, settings, 32),
    ):
        pass


def test_sleep_is_refused_without_a_gpu(settings, wide_policy):
    with pytest.raises(ConfigError, match=r"sampler\.sleep=true .*cpu"):
        VllmSampler(*wide_policy, replace(settings, sleep=True), 32)


def test_a_second_engine_starts_after_an_error(engine, wide_policy, settings):
    """Runs last: it ends the module's engine, and starts another in the same process."""
    engine.close()
    with (
        pytest.raises(TimeoutError, match="by the test"),
        VllmSampler(*wide_policy, settings, engine.context) as sampler,
    ):
        sample_until_interrupted(sampler)
    assert sampler.engine is None
    assert psutil.Process().children(recursive=True) == []
    assert not torch.distributed.is_initialized()
    with VllmSampler(*wide_policy, settings, engine.context) as sampler:
        check_log_probs(sampler, SETTINGS)
    engine.close()
