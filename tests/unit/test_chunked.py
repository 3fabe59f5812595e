"""Chunked log-probabilities equal the naive ones, in value and gradient."""

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from maspo.errors import ConfigError
from maspo.policy import chunked_log_probs, pad_batch, token_log_probs

PROMPTS = [[5, 12, 9, 15], [2, 13, 3, 14, 4, 15], [6, 12, 6, 15]]
COMPLETIONS = [[3, 4, 1], [7, 7, 7, 7, 7, 1], [9]]


def naive(hidden, weight, tokens, temperature):
    """Log-probability and entropy from all logits at once."""
    distribution = torch.log_softmax(hidden @ weight.T / temperature, -1)
    entropy = -(distribution.exp() * distribution).sum(-1)
    return distribution.gather(1, tokens[:, None])[:, 0], entropy.detach()


def random_inputs(count, width, vocabulary, seed, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(count, width, generator=generator, dtype=dtype)
    weight = torch.randn(vocabulary, width, generator=generator, dtype=dtype)
    tokens = torch.randint(vocabulary, (count,), generator=generator)
    return hidden.requires_grad_(), weight.requires_grad_(), tokens


@settings(deadline=None, max_examples=60)
@example(count=6, width=8, vocabulary=28, chunk=1, temperature=0.5, seed=0)  # once off by 1.4e-5
@given(
    count=st.integers(0, 9),
    width=st.integers(1, 8),
    vocabulary=st.integers(1, 50),
    chunk=st.integers(1, 60),
    temperature=st.floats(0.3, 3.0),
    seed=st.integers(0, 2**20),
)
def test_values_and_gradients_equal_the_naive_ones(
    count, width, vocabulary, chunk, temperature, seed
):
    hidden, weight, tokens = random_inputs(count, width, vocabulary, seed)
    log_prob, entropy = chunked_log_probs(hidden, weight, tokens, chunk, temperature, True)
    expected = naive(hidden, weight, tokens, temperature)
    # Two exact methods differ by rounding, which grows with the logits that cancel.
    near = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(log_prob, expected[0], **near)
    torch.testing.assert_close(entropy, expected[1], **near)
    upstream = torch.linspace(-1, 2, count)
    ours = torch.autograd.grad(log_prob, (hidden, weight), upstream)
    theirs = torch.autograd.grad(expected[0], (hidden, weight), upstream)
    for own, other in zip(ours, theirs, strict=True):
        size = max([1.0, *other.abs().flatten().tolist()])
        torch.testing.assert_close(own / size, other / size, **near)


def test_a_large_vocabulary_of_a_real_head():
    hidden, weight, tokens = random_inputs(40, 32, 151_936, 0)
    weight = (weight.detach() / 4).requires_grad_()  # logits of a few nats, like a trained head's
    log_prob, entropy = chunked_log_probs(hidden, weight, tokens, 4096, 1.0, True)
    expected = naive(hidden, weight, tokens, 1.0)
    near = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close((log_prob, entropy), expected, **near)
    ours = torch.autograd.grad(log_prob.sum(), (hidden, weight))
    theirs = torch.autograd.grad(expected[0].sum(), (hidden, weight))
    torch.testing.assert_close(ours, theirs, **near)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_gradcheck_in_float64(chunk):
    hidden, weight, tokens = random_inputs(4, 3, 7, 1, torch.float64)
    assert torch.autograd.gradcheck(
        lambda h, w: chunked_log_probs(h, w, tokens, chunk, 0.7)[0], (hidden, weight)
    )


def test_bfloat16_is_computed_in_float32():
    hidden, weight, tokens = random_inputs(6, 64, 500, 2, torch.bfloat16)
    log_prob, entropy = chunked_log_probs(hidden, weight, tokens, 128, 1.0, True)
    wide = [tensor.detach().float().requires_grad_() for tensor in (hidden, weight)]
    expected = naive(*wide, tokens, 1.0)
    assert log_prob.dtype == entropy.dtype == torch.float32
    torch.testing.assert_close((log_prob, entropy), expected, atol=1e-5, rtol=1e-5)
    log_prob.sum().backward()
    expected[0].sum().backward()
    for tensor, exact in zip((hidden, weight), wide, strict=True):
        assert tensor.grad.dtype == torch.bfloat16
        # One rounding at the end, not one a chunk.
        rounded = exact.grad.bfloat16()
        torch.testing.assert_close(tensor.grad, rounded, atol=1e-6, rtol=2**-7)


def test_entropy_carries_no_gradient_and_is_made_only_if_asked():
    hidden, weight, tokens = random_inputs(4, 3, 7, 3)
    log_prob, entropy = chunked_log_probs(hidden, weight, tokens, 2, entropy=True)
    assert log_prob.requires_grad
    assert not entropy.requires_grad
    assert chunked_log_probs(hidden, weight, tokens, 2)[1] is None


def test_a_frozen_head_gets_no_gradient():
    hidden, weight, tokens = random_inputs(4, 3, 7, 4)
    frozen = weight.detach()
    chunked_log_probs(hidden, frozen, tokens, 2)[0].sum().backward()
    expected = torch.autograd.grad(naive(hidden, weight, tokens, 1.0)[0].sum(), hidden)[0]
    torch.testing.assert_close(hidden.grad, expected, atol=1e-5, rtol=1e-5)
    assert frozen.grad is None


@pytest.mark.parametrize("temperature", [1.0, 0.6])
@pytest.mark.parametrize("chunk", [1, 5, 64])
def test_a_policy_with_tied_embeddings_gets_the_same_gradients(tiny_policy, chunk, temperature):
    policy, _ = tiny_policy
    assert policy.lm_head.weight is policy.model.embed_tokens.weight
    batch = pad_batch(PROMPTS, COMPLETIONS, 0)
    results = []
    for size in (None, chunk):
        log_prob, entropy = token_log_probs(policy, batch, temperature, True, chunk=size)
        policy.zero_grad()
        log_prob[batch.mask].sum().backward()
        grads = [parameter.grad.clone() for parameter in policy.parameters()]
        results.append((log_prob[batch.mask], entropy[batch.mask], grads))
        assert log_prob.shape == batch.mask.shape
    torch.testing.assert_close(results[1], results[0], atol=1e-5, rtol=1e-5)


def test_outside_the_mask_there_is_zero(tiny_policy):
    batch = pad_batch(PROMPTS, COMPLETIONS, 0)
    log_prob, entropy = token_log_probs(tiny_policy[0], batch, entropy=True, chunk=4)
    assert (log_prob[~batch.mask] == 0).all()
    assert (entropy[~batch.mask] == 0).all()


def test_a_head_with_a_bias_is_refused(tiny_policy):
    policy, _ = tiny_policy
    policy.lm_head.bias = torch.nn.Parameter(torch.zeros(policy.config.vocab_size))
    with pytest.raises(ConfigError, match="logits_chunk"):
        token_log_probs(policy, pad_batch(PROMPTS, COMPLETIONS, 0), chunk=4)
