"""Micro-batches change the memory of an update and nothing else."""

from collections import Counter

import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st

from maspo.errors import ConfigError
from maspo.objectives import PolicyBatch, make, names
from maspo.policy import make_checkpoints, micro_batched, pad_batch, token_log_probs
from maspo.policy.micro_batches import cut


def random_batch(rows, seed):
    """A batch of random tokens and lengths, empty completions among them."""
    generator = torch.Generator().manual_seed(seed)

    def draw(low, high):
        counts = torch.randint(low, high, (rows,), generator=generator).tolist()
        return [torch.randint(2, 19, (n,), generator=generator).tolist() for n in counts]

    return pad_batch(draw(1, 9), draw(0, 20), 0)


@given(st.integers(1, 30), st.integers(1, 300), st.integers(0, 1000))
@example(10, 10, 531)  # a part of empty completions: they are padded to one token
def test_every_row_is_in_one_part_and_no_part_is_over_the_budget(rows, tokens, seed):
    batch = random_batch(rows, seed)
    parts = cut(batch, tokens)
    assert sorted(torch.cat(parts).tolist()) == list(range(rows))
    lengths = []
    for part in parts:
        taken = batch.take(part)
        assert taken.input_ids.numel() <= tokens or len(part) == 1
        assert int(taken.attention_mask.sum()) == int(batch.attention_mask[part].sum())
        assert taken.attention_mask[:, 0].any()  # no column of padding alone
        lengths += taken.attention_mask.sum(1).tolist()
    assert lengths == sorted(lengths)


def gradients(policy, batch, objective, tokens, chunk=None, old=None):
    """Loss, metrics and the gradient of every weight, in one pass or in micro-batches."""
    generator = torch.Generator().manual_seed(7)
    policy.zero_grad()
    log_prob, entropy = micro_batched(
        lambda part: token_log_probs(policy, part, 0.9, objective.needs_entropy, chunk),
        batch,
        tokens,
    )
    shape = batch.mask.shape
    old = log_prob.detach() if old is None else old
    batch = PolicyBatch(
        log_prob=log_prob,
        old_log_prob=old + 0.4 * torch.randn(shape, generator=generator),
        advantages=torch.randn(shape[0], 1, generator=generator).expand(shape),
        mask=batch.mask,
        entropy=entropy,
    )
    output = objective(batch)
    output.loss.backward()
    return output, {name: p.grad.clone() for name, p in policy.named_parameters()}, old


@pytest.mark.parametrize("checkpointing", [False, True])
@pytest.mark.parametrize("method", names())
def test_loss_and_gradients_are_those_of_the_whole_mini_batch(tiny_policy, method, checkpointing):
    policy, _ = tiny_policy
    batch, objective = random_batch(13, seed=5), make(method)
    expected, wanted, old = gradients(policy, batch, objective, None)
    assert len(cut(batch, 60)) > 4
    if checkpointing:
        make_checkpoints(policy)
        policy.train()
    largest = max(gradient.abs().max().item() for gradient in wanted.values())
    assert largest > 0
    for chunk in (None, 5):
        output, found, _ = gradients(policy, batch, objective, 60, chunk, old)
        assert output.loss.item() == pytest.approx(expected.loss.item(), abs=1e-6)
        assert output.metrics == pytest.approx(expected.metrics, rel=1e-4, abs=1e-5)
        torch.testing.assert_close(found, wanted, atol=1e-5 * min(1, largest), rtol=1e-4)


def test_a_part_is_scored_again_when_its_gradient_is_made_and_no_sooner(tiny_policy):
    policy, _ = tiny_policy
    batch = random_batch(13, seed=5)
    parts = len(cut(batch, 60))
    make_checkpoints(policy)
    policy.train()
    calls = Counter()
    policy.model.layers[0].register_forward_pre_hook(lambda *_: calls.update(["layer"]))
    policy.model.layers[0].mlp.register_forward_pre_hook(lambda *_: calls.update(["mlp"]))
    log_prob, _ = micro_batched(lambda part: token_log_probs(policy, part), batch, 60)
    assert calls["mlp"] == parts
    log_prob.sum().backward()
    assert calls["mlp"] == 3 * parts  # scored, made again as a whole, and layer by layer


def test_less_is_kept_for_the_backward_pass(tiny_policy):
    """Bytes that autograd holds between forward and backward pass."""
    policy, _ = tiny_policy
    batch = random_batch(30, seed=6)

    def held(tokens):
        sizes = []

        def pack_tensor(tensor):
            sizes.append(tensor.numel() * tensor.element_size())
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack_tensor, lambda tensor: tensor):
            micro_batched(lambda part: token_log_probs(policy, part), batch, tokens)
        return sum(sizes)

    assert held(100) < 0.05 * held(None)


def test_bfloat16_without_chunks_is_refused(tiny_policy):
    from maspo.config import load_experiment

    with pytest.raises(ConfigError, match=r"train\.precision='bfloat16'.*logits_chunk"):
        load_experiment(["scale=mini", "train.precision=bfloat16"])
    with pytest.raises(ConfigError, match=r"train\.precision='int8'"):
        load_experiment(["scale=mini", "train.precision=int8"])
    with pytest.raises(ConfigError, match=r"train\.micro_batch_tokens=0"):
        load_experiment(["scale=mini", "train.micro_batch_tokens=0"])
    with pytest.raises(ValueError, match="chunk"):
        token_log_probs(tiny_policy[0], random_batch(3, 0), precision="bfloat16")
