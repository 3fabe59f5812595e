"""The roofline arithmetic counts what a policy really has."""

import pytest

from maspo.plan.hardware import CARDS, POLICIES, Architecture
from maspo.plan.roofline import Job, concurrent, decode_seconds, prefill_seconds, step_seconds

JOB = Job(completions=256, prompt=128, completion=1024)


def test_parameters_are_those_of_a_built_policy(tiny_policy):
    policy, _ = tiny_policy
    architecture = Architecture.of(policy.config.to_dict())
    assert architecture.parameters == sum(p.numel() for p in policy.parameters())


@pytest.mark.parametrize("name", POLICIES)
def test_an_architecture_is_that_of_its_own_fields(name):
    assert Architecture.of(POLICIES[name].fields()) == POLICIES[name]


@pytest.mark.parametrize(("name", "billions"), [("1.5B", 1.777), ("7B", 7.616), ("14B", 14.770)])
def test_parameters_are_those_of_the_published_policies(name, billions):
    assert POLICIES[name].parameters / 1e9 == pytest.approx(billions, abs=1e-3)


def test_decode_reads_the_weights_once_for_all_rows_together():
    policy, card = POLICIES["1.5B"], CARDS["H100"]
    one = Job(completions=1, prompt=128, completion=1024)
    weights = (policy.layer_weights + policy.head_weights) * 2
    cache = policy.cache_bytes * (128 + 512)
    assert decode_seconds(policy, card, one) == pytest.approx(
        1024 * (weights + cache) / card.bandwidth
    )
    # 256 together read the weights no oftener, but each its own cache.
    many = decode_seconds(policy, card, JOB)
    assert many == pytest.approx(1024 * (weights + 256 * cache) / card.bandwidth)


def test_rows_are_as_many_as_memory_holds():
    policy = POLICIES["14B"]
    long = Job(completions=10_000, prompt=0, completion=8192)
    rows = {name: concurrent(policy, card, long) for name, card in CARDS.items()}
    for name, card in CARDS.items():
        held = policy.parameters * 2 + rows[name] * policy.cache_bytes * 8192
        assert held <= 0.9 * card.memory < held + policy.cache_bytes * 8192
    assert 0 < rows["H100"] < rows["H200"]
    assert concurrent(policy, CARDS["H200"], JOB) <= JOB.completions


def test_an_update_costs_three_forward_passes_and_the_head_once_more():
    policy, card = POLICIES["7B"], CARDS["H200"]
    phases = step_seconds(policy, card, JOB)
    head = 256 * 1024 * 2 * policy.head_weights / card.flops
    assert phases["update"] == pytest.approx(3 * phases["old log-probabilities"] + head)
    # 2 FLOPs a matrix entry and token, where attention is left out of account.
    flops = prefill_seconds(policy, card, Job(1, 1, 0)) * card.flops
    matrices = 2 * (policy.layer_weights + policy.head_weights)
    assert flops == pytest.approx(matrices, rel=1e-3)
