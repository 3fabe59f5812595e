"""Sampling: from the policy's own distribution, each completion from its own seed."""

from collections import Counter

import pytest
import torch
from transformers import GenerationConfig, TopPLogitsWarper

import maspo.sampling.transformers as sampling
from cuda_rules import RefusedOnCuda
from maspo.errors import ConfigError
from maspo.policy import build_policy, pad_batch, token_log_probs
from maspo.sampling import SamplingSettings
from maspo.sampling.decoder import TransformersDecoder
from maspo.sampling.fused import FusedDecoder
from maspo.sampling.transformers import TransformersSampler, draw, fixed_point, nucleus, uniforms

PROMPTS = [[5, 12, 9, 15], [2, 13, 3, 14, 4, 15], [6, 12, 6, 15], [8, 14, 8, 15]]
SETTINGS = SamplingSettings(max_tokens=12)
ROPE = {"rope_type": "default", "rope_theta": 100.0}


@pytest.fixture(params=[TransformersDecoder, FusedDecoder])
def sampler(request, tiny_policy):
    return TransformersSampler(*tiny_policy, 3, request.param, entropies=True)


def test_same_seed_same_completion(sampler):
    assert sampler.sample(PROMPTS, [1, 2, 3, 4], SETTINGS) == sampler.sample(
        PROMPTS, [1, 2, 3, 4], SETTINGS
    )
    other = sampler.sample(PROMPTS, [5, 6, 7, 8], SETTINGS)
    assert other != sampler.sample(PROMPTS, [1, 2, 3, 4], SETTINGS)


def test_a_completion_does_not_depend_on_its_neighbours(sampler):
    together = sampler.sample(PROMPTS, [1, 2, 3, 4], SETTINGS)
    alone = [
        sampler.sample([prompt], [seed], SETTINGS)[0]
        for prompt, seed in zip(PROMPTS, [1, 2, 3, 4], strict=True)
    ]
    assert together == alone


def test_global_random_state_is_neither_read_nor_written(sampler):
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = sampler.sample(PROMPTS, [1, 2, 3, 4], SETTINGS)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert sampler.sample(PROMPTS, [1, 2, 3, 4], SETTINGS) == first


def test_low_temperature_is_greedy(sampler):
    cold = SamplingSettings(max_tokens=12, temperature=1e-4)
    drawn = sampler.sample(PROMPTS[:1], [1], cold)[0].tokens
    ids = list(PROMPTS[0])
    for token in drawn:
        assert token == sampler.policy(torch.tensor([ids])).logits[0, -1].argmax()
        ids.append(token)


def test_completions_stop_at_the_end_token_or_at_the_limit(sampler):
    completions = sampler.sample(PROMPTS * 10, list(range(40)), SETTINGS)
    eos = sampler.tokenizer.eos_token_id
    stopped = [c for c in completions if c.tokens[-1] == eos]
    assert stopped
    assert all(eos not in c.tokens[:-1] for c in completions)
    assert all(len(c.tokens) == 12 for c in completions if c not in stopped)
    assert all(
        sampler.tokenizer.decode(c.tokens, skip_special_tokens=True) == c.text for c in stopped
    )


def test_draws_follow_the_distribution():
    """Chi-square of 20,000 draws from a fixed distribution, against its 99.9 % point."""
    probabilities = torch.tensor([0.5, 0.25, 0.15, 0.07, 0.03, 0.0])
    count = 20_000
    logits = probabilities.log().expand(count, 6)
    tokens = draw(logits, uniforms(list(range(count)), 1)[:, 0], SETTINGS)
    observed = torch.bincount(tokens, minlength=6).double()
    assert observed[5] == 0
    expected = count * probabilities[:5].double()
    statistic = ((observed[:5] - expected) ** 2 / expected).sum()
    assert statistic < 18.47


def test_the_draw_inverts_the_cumulative_distribution():
    uniform = torch.tensor([0.0, 0.49, 0.51, 0.9999999])
    logits = torch.tensor([0.5, 0.0, 0.5]).log().expand(4, 3)
    assert draw(logits, uniform, SETTINGS).tolist() == [0, 0, 2, 2]


def test_decoding_equals_transformers_own(sampler):
    """Greedy completions, of rows that end at different steps, are those of `generate`."""
    cold = SamplingSettings(max_tokens=30, temperature=1e-4)
    prompts = [[*prompt, token] for token, prompt in enumerate(PROMPTS, start=5)]
    freely = sampler.sample(prompts, [1, 2, 3, 4], cold)
    # This untrained policy ends nothing by itself: its rarest token becomes the end.
    eos, _ = Counter(token for c in freely for token in c.tokens).most_common()[-1]
    sampler.tokenizer.eos_token = sampler.tokenizer.convert_ids_to_tokens(eos)
    completions = sampler.sample(prompts, [1, 2, 3, 4], cold)
    for prompt, completion in zip(prompts, completions, strict=True):
        ids = sampler.policy.generate(
            torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt), dtype=torch.long),
            generation_config=GenerationConfig(
                max_new_tokens=30, eos_token_id=eos, pad_token_id=sampler.tokenizer.pad_token_id
            ),
        )
        assert tuple(ids[0, len(prompt) :].tolist()) == completion.tokens
    assert len({len(completion.tokens) for completion in completions}) > 1


@pytest.mark.parametrize(("heads", "key_heads"), [(1, 1), (4, 4), (4, 2), (4, 1)])
def test_the_fused_decoder_says_what_the_policy_says(tiny_policy, heads, key_heads):
    """Logits and tokens of rows that start and end at different places, with groups of heads."""
    _, tokenizer = tiny_policy
    sizes = {"hidden_size": 16, "num_hidden_layers": 3, "intermediate_size": 24}
    shape = {"num_attention_heads": heads, "num_key_value_heads": key_heads}
    others = {"initializer_range": 0.5, "rms_norm_eps": 1e-3, "rope_parameters": ROPE}
    policy = build_policy({**sizes, **shape, **others}, tokenizer, seed=heads)
    for name, weight in policy.named_parameters():
        if "bias" in name or "norm" in name:  # 0 and 1 at first, which hides what they do
            torch.nn.init.normal_(weight, 1.0, 0.5, torch.Generator().manual_seed(len(name)))
    prompts = [[5], PROMPTS[1], PROMPTS[0], [5]]
    ids = torch.tensor([[0, 0, 0, 0, 0, 5], PROMPTS[1], [0, 0, *PROMPTS[0]]])
    owner = torch.tensor([0, 1, 2, 0])
    decoders = [TransformersDecoder(policy), FusedDecoder(policy)]
    with torch.inference_mode():
        both = [decoder.read(ids, (ids > 0).long(), owner, 4) for decoder in decoders]
        torch.testing.assert_close(*both)
        for added in ([7, 8, 9, 10], [11, 12, 13], [14, 15, 16]):
            if len(added) == 3 and len(both[0]) == 4:
                for decoder in decoders:
                    decoder.keep(torch.tensor([0, 2, 3]))
            both = [decoder.step(torch.tensor(added)) for decoder in decoders]
            torch.testing.assert_close(*both)
    seeds = list(range(40))
    reference, fused = (
        TransformersSampler(policy, tokenizer, 16, kind).sample(prompts * 10, seeds, SETTINGS)
        for kind in (TransformersDecoder, FusedDecoder)
    )
    assert reference == fused


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda policy: policy.to(torch.bfloat16), "bfloat16"),
        (lambda policy: setattr(policy.config, "hidden_act", "gelu"), "gelu"),
        (lambda policy: policy.config.layer_types.__setitem__(0, "sliding_attention"), "sliding"),
    ],
)
def test_the_fused_decoder_refuses_what_it_does_not_compute(tiny_policy, change, word):
    policy, _ = tiny_policy
    change(policy)
    with pytest.raises(ConfigError, match=rf"{word}.*sampler\.decoder=transformers"):
        FusedDecoder(policy)


def test_entropies_are_those_that_the_policy_has_of_each_token(sampler):
    settings = SamplingSettings(max_tokens=12, temperature=0.7, entropies=True)
    completions = sampler.sample(PROMPTS, [1, 2, 3, 4], settings)
    batch = pad_batch(PROMPTS, [c.tokens for c in completions], sampler.tokenizer.pad_token_id)
    _, expected = token_log_probs(sampler.policy, batch, temperature=0.7, entropy=True)
    for completion, row, mask in zip(completions, expected, batch.mask, strict=True):
        torch.testing.assert_close(torch.tensor(completion.entropies), row[mask].detach())
    silent = sampler.sample(PROMPTS, [1, 2, 3, 4], SETTINGS)
    assert all(completion.entropies is None for completion in silent)


def test_finished_rows_leave_the_batch_without_a_trace(sampler, monkeypatch):
    prompts, seeds = PROMPTS * 8, list(range(32))
    sampler.batch_size = 32
    drawn = []
    for share in (0.0, 0.5, 1.0):
        monkeypatch.setattr(sampling, "DROP_AT", share)
        drawn.append(sampler.sample(prompts, seeds, SETTINGS))
    assert drawn[0] == drawn[1] == drawn[2]
    assert len({len(completion.tokens) for completion in drawn[0]}) > 3


def test_a_prompt_is_read_once_for_all_its_completions(sampler, monkeypatch):
    """The policy sees each prompt once, and the completions are those of prompts read alone."""
    monkeypatch.setattr(sampling, "DROP_AT", 0.0)
    sampler.batch_size = 12
    prompts, seeds = [PROMPTS[0]] * 5 + [PROMPTS[1]] * 4 + [PROMPTS[0]] * 3, list(range(12))
    alone = [
        sampler.sample([prompt], [seed], SETTINGS)[0]
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]
    rows = []
    forward = sampler.policy.forward

    def seen(**inputs):
        rows.append(len(inputs["input_ids"]))
        return forward(**inputs)

    monkeypatch.setattr(sampler.policy, "forward", seen)
    assert sampler.sample(prompts, seeds, SETTINGS) == alone
    assert rows[0] == 2
    if sampler.decoder is TransformersDecoder:  # the fused one steps without the policy
        assert rows[1] == 12


def test_top_p_keeps_the_nucleus(sampler):
    narrow = SamplingSettings(max_tokens=1, top_p=1e-6)
    drawn = {c.tokens for c in sampler.sample(PROMPTS[:1] * 20, list(range(20)), narrow)}
    wide = {c.tokens for c in sampler.sample(PROMPTS[:1] * 20, list(range(20)), SETTINGS)}
    assert len(drawn) == 1 < len(wide)


def test_the_nucleus_is_transformers_own():
    logits = torch.randn(500, 60, generator=torch.Generator().manual_seed(1)) * 3
    for top_p in (1e-6, 0.3, 0.95, 0.999):
        found = nucleus(logits, top_p)
        assert torch.equal(found, TopPLogitsWarper(top_p)(None, logits)), top_p


def test_on_a_gpu_no_sum_of_floats_is_asked_for(sampler, monkeypatch):
    """There a running sum of floats raises; integers give the same tokens."""
    narrow = SamplingSettings(max_tokens=12, top_p=0.9)
    on_cpu = sampler.sample(PROMPTS * 8, list(range(32)), narrow)
    with pytest.raises(RuntimeError, match="cumsum"), RefusedOnCuda():
        sampler.sample(PROMPTS, [1, 2, 3, 4], narrow)
    monkeypatch.setattr(sampling, "cumulative", lambda p: fixed_point(p).cumsum(-1))
    with RefusedOnCuda():
        assert sampler.sample(PROMPTS * 8, list(range(32)), narrow) == on_cpu
    test_draws_follow_the_distribution()
    test_the_draw_inverts_the_cumulative_distribution()


def test_sums_of_integers_reach_the_last_token_of_a_large_vocabulary():
    """Float32 sums of 151,936 small numbers would be off by more than a token."""
    logits = torch.zeros(3, 151_936)
    total = fixed_point(torch.softmax(logits, -1)).cumsum(-1)
    uniform = torch.tensor([0.0, 0.5, 1 - 2**-24], dtype=torch.float64)
    points = (uniform[:, None] * total[:, -1:]).long()
    tokens = torch.searchsorted(total, points, right=True).squeeze(1)
    assert tokens.tolist() == [0, 151_936 // 2, 151_935]


def test_any_of_several_end_tokens_ends_a_completion(sampler):
    """Chat models name more than the tokenizer does, in their generation_config.json."""
    freely = sampler.sample(PROMPTS * 10, list(range(40)), SETTINGS)
    other = Counter(token for c in freely for token in c.tokens).most_common()[0][0]
    own = sampler.tokenizer.eos_token_id
    assert other != own
    sampler.policy.generation_config.eos_token_id = [other, own]
    completions = sampler.sample(PROMPTS * 10, list(range(40)), SETTINGS)
    assert {c.tokens[-1] for c in completions} >= {other, own}
    for completion, before in zip(completions, freely, strict=True):
        end = next((i for i, t in enumerate(before.tokens) if t in (other, own)), 11)
        assert completion.tokens == before.tokens[: end + 1]
