"""Rows read by index: values and gradients are torch's own, and no pass asks a GPU for a number."""

from contextlib import nullcontext

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cuda_rules import RefusedOnCuda
from maspo.policy import micro_batched, pad_batch, token_log_probs
from maspo.policy.gather import Gather

PROMPTS = [[5, 12, 9, 15]] * 3 + [[2, 13, 3]] * 2
COMPLETIONS = [[3, 4, 1], [7, 7, 7, 7, 7, 1], [9], [4, 4], [6, 1]]


@given(st.lists(st.integers(0, 5), max_size=30), st.lists(st.booleans(), min_size=30, max_size=30))
def test_values_and_gradients_are_torchs_own(index, counted):
    index, counted = torch.tensor(index, dtype=torch.long), torch.tensor(counted)[: len(index)]
    generator = torch.Generator().manual_seed(1)
    source = torch.randn(6, 3, generator=generator, requires_grad=True)
    upstream = torch.randn(len(index), 3, generator=generator) * counted[:, None]
    gather = Gather.of(index, 6, counted)
    for rows, places in gather.again:
        assert len(rows.unique()) == len(rows) == len(places)
    (ours,) = torch.autograd.grad(gather(source), source, upstream)
    (theirs,) = torch.autograd.grad(source.index_select(0, index), source, upstream)
    assert torch.equal(gather(source), source.index_select(0, index))
    assert torch.equal(ours, theirs)  # bits: additions come in the same order


@pytest.mark.parametrize("tokens", [None, 16])
@pytest.mark.parametrize("chunk", [7, None])
def test_a_pass_asks_the_device_for_nothing(tiny_policy, chunk, tokens, monkeypatch):
    """On the device `meta` tensors have no numbers: whoever asks for one raises, where a GPU waits.

    Boolean indices, `nonzero`, `item` and the like are such questions.
    """
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: nullcontext())  # meta has none
    policy = tiny_policy[0].to("meta")
    batch = pad_batch(PROMPTS, COMPLETIONS, 0, "meta")

    def score(part):
        return token_log_probs(policy, part, entropy=True, chunk=chunk)

    log_prob, entropy = micro_batched(score, batch, tokens)
    assert log_prob.device.type == entropy.device.type == "meta"
    log_prob.sum().backward()
    assert all(weight.grad.device.type == "meta" for weight in policy.parameters())


def test_a_pass_adds_into_no_row_twice(tiny_policy):
    """A GPU would make such additions one after the other, and padding has thousands of them."""
    added = []

    class Watched(RefusedOnCuda):
        def __torch_dispatch__(self, function, types, args=(), kwargs=None):
            name = function.overloadpacket.__name__
            if name in ("index_add_", "index_add", "index_put_") and args[0].is_floating_point():
                added.append(args[2] if "add" in name else args[1][0])
            return super().__torch_dispatch__(function, types, args, kwargs)

    policy, _ = tiny_policy
    with Watched():
        log_prob, _ = token_log_probs(policy, pad_batch(PROMPTS, COMPLETIONS, 0), chunk=7)
        log_prob.sum().backward()
    assert added
    assert all(index.unique().numel() == index.numel() for index in added)
