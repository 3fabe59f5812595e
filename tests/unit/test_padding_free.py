"""A batch read as one row of tokens gives what transformers gives for the padded batch."""

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM

from maspo.errors import ConfigError
from maspo.policy import build_policy, pad_batch, token_log_probs
from maspo.policy.padding_free import use_padding_free
from tests.conftest import ARCHITECTURE

SIZES = {
    "vocab_size": 19,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "initializer_range": 0.3,
}
tokens = st.lists(st.integers(0, 3), min_size=1, max_size=4)  # 0 is the padding's id too
groups = st.lists(
    st.tuples(tokens, st.lists(st.lists(st.integers(0, 3), max_size=7), min_size=1, max_size=4)),
    min_size=1,
    max_size=4,
)


def as_batch(groups):
    """Pack groups of (prompt, completions)."""
    prompts = [prompt for prompt, completions in groups for _ in completions]
    return pad_batch(prompts, [c for _, completions in groups for c in completions], 0)


def padded_log_probs(policy, batch):
    """What transformers itself says of the padded batch, with its own attention."""
    policy.set_attn_implementation("sdpa")
    logits = policy(
        input_ids=batch.input_ids,
        attention_mask=batch.attention_mask,
        position_ids=batch.position_ids,
    ).logits
    distribution = logits[:, batch.prompt_columns - 1 : -1].log_softmax(-1)
    return distribution.gather(-1, batch.completions[..., None])[..., 0].where(batch.mask, 0.0)


def gradients(policy, log_prob, batch):
    """The gradient of every weight of a weighted sum of log-probabilities."""
    weights = torch.rand(batch.mask.shape, generator=torch.Generator().manual_seed(5))
    policy.zero_grad()
    (log_prob * weights).sum().backward()
    return {name: weight.grad for name, weight in policy.named_parameters()}


@given(groups)
@example([([0, 3], [[2]]), ([3], [[2]])])  # they differ in their length alone
def test_a_prompt_stands_once_and_every_token_is_found_again(groups):
    batch = as_batch(groups)
    row = batch.row
    owners = [i for i, (prompt, _) in enumerate(groups) if i == 0 or prompt != groups[i - 1][0]]
    expected = sum(len(groups[i][0]) for i in owners) + int(batch.mask.sum())
    assert row.input_ids.shape == row.position_ids.shape == (1, expected)
    real = batch.attention_mask.bool()
    assert torch.equal(row.input_ids[0, row.where[real]], batch.input_ids[real])
    assert torch.equal(row.position_ids[0, row.where[real]], batch.position_ids[real])
    assert torch.equal(row.padded.flatten()[row.collect.index], torch.arange(expected))
    lengths = batch.attention_mask.sum(1)
    assert row.padded.shape == (len(lengths), int(lengths.max()))
    for sequence, length, ids, mask in zip(row.padded, lengths, batch.input_ids, real, strict=True):
        assert torch.equal(row.input_ids[0, sequence[:length]], ids[mask])
        assert not sequence[length:].any()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("key_heads", [1, 2, 4])
@pytest.mark.parametrize("kind", [(Qwen2Config, Qwen2ForCausalLM), (LlamaConfig, LlamaForCausalLM)])
def test_values_and_gradients_are_those_of_the_padded_batch(kind, key_heads, seed):
    torch.manual_seed(seed)
    configuration, model = kind
    policy = model(configuration(**{**SIZES, "num_key_value_heads": key_heads}))
    generator = torch.Generator().manual_seed(seed)

    def draw(low, high):
        size = int(torch.randint(low, high, (), generator=generator))
        return torch.randint(2, 19, (size,), generator=generator).tolist()

    batch = as_batch([(draw(1, 9), [draw(0, 12) for _ in range(4)]) for _ in range(3)])
    theirs = padded_log_probs(policy, batch)
    expected = gradients(policy, theirs, batch)
    ours, _ = token_log_probs(policy, batch)
    torch.testing.assert_close(ours, theirs, atol=2e-6, rtol=1e-5)
    found = gradients(policy, ours, batch)
    for name, gradient in expected.items():
        torch.testing.assert_close(found[name], gradient, atol=2e-5, rtol=1e-4, msg=name)


def test_calls_without_a_row_attend_as_before(tiny_policy):
    policy = build_policy(ARCHITECTURE, tiny_policy[1], 3)
    batch = pad_batch([[5, 12, 9], [6]], [[3, 4], [7, 7, 7]], 0)
    inputs = {
        "input_ids": batch.input_ids,
        "attention_mask": batch.attention_mask,
        "position_ids": batch.position_ids,
    }
    with torch.no_grad():
        before = policy(**inputs).logits
        use_padding_free(policy)
        assert torch.equal(policy(**inputs).logits, before)


def test_nothing_of_it_is_saved(tiny_policy):
    policy = build_policy(ARCHITECTURE, tiny_policy[1], 3)
    before = policy.config.to_json_string()
    token_log_probs(policy, pad_batch([[5]], [[3]], 0))
    assert policy.config.to_json_string() == before


def test_attention_with_a_window_is_refused():
    policy = Qwen2ForCausalLM(
        Qwen2Config(**SIZES, use_sliding_window=True, sliding_window=4, max_window_layers=0)
    )
    with pytest.raises(ConfigError, match="sliding_window"):
        token_log_probs(policy, pad_batch([[5, 6, 7]], [[3, 4, 5]], 0))
