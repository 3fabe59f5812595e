"""The loss of one batch: our loop's, TRL's own, and ours inside TRL."""

from dataclasses import replace

import pytest
import torch
from trl_case import draw_inputs, make_trainer

from maspo.objectives import PolicyBatch, make, names
from maspo.policy import PaddedBatch, token_log_probs

# Our method: the settings of TRL's own loss that are the same objective.
TRLS = {
    "grpo": {"loss_type": "bnpo", "epsilon": 0.2, "epsilon_high": 0.2, "delta": 3.0},
    "clip_higher": {"loss_type": "bnpo", "epsilon": 0.2, "epsilon_high": 0.28, "delta": 3.0},
    "sapo": {"loss_type": "sapo", "sapo_temperature_pos": 1.0, "sapo_temperature_neg": 1.05},
}


@pytest.fixture
def parts(tiny_policy, modular_problems, tmp_path):
    """Return policy, batch, and a function that makes a trainer on them."""
    policy, tokenizer = tiny_policy

    def make_one(objective=None, **changed):
        return make_trainer(policy, tokenizer, modular_problems, tmp_path, objective, **changed)

    return policy, draw_inputs(policy, len(tokenizer)), make_one


def gradient_of(policy, loss):
    """Return loss and gradient of the policy as one vector."""
    policy.zero_grad()
    loss.backward()
    gradient = torch.cat([p.grad.flatten() for p in policy.parameters()])
    return loss.item(), gradient


def ours(policy, inputs, objective):
    """Return loss and gradient of a batch by the code of our loop."""
    ids = torch.cat([inputs["prompt_ids"], inputs["completion_ids"]], 1)
    attention = torch.cat([inputs["prompt_mask"], inputs["completion_mask"]], 1)
    mask = inputs["completion_mask"].bool()
    padded = PaddedBatch(ids, attention, (attention.cumsum(1) - 1).clamp(min=0), mask)
    log_prob, entropy = token_log_probs(policy, padded, entropy=True)
    advantages = inputs["advantages"][:, None].expand(mask.shape)
    batch = PolicyBatch(log_prob, inputs["old_per_token_logps"], advantages, mask, entropy)
    return gradient_of(policy, objective(batch).loss)


def assert_same(one, other):
    assert one[0] == pytest.approx(other[0], abs=1e-5)
    assert torch.allclose(one[1], other[1], rtol=0, atol=1e-5)
    assert other[1].abs().max() > 1e-5


@pytest.mark.parametrize("method", TRLS)
def test_trls_own_loss_is_our_baseline(parts, method):
    policy, inputs, make_one = parts
    trainer = make_one(**TRLS[method])
    trainer.current_gradient_accumulation_steps = 1
    theirs = gradient_of(policy, trainer._compute_loss(policy.train(), inputs))
    assert_same(theirs, ours(policy, inputs, make(method)))


@pytest.mark.parametrize("method", names())
def test_loss_inside_trl_is_that_of_our_loop(parts, method):
    policy, inputs, make_one = parts
    trainer = make_one(method)
    trainer._buffered_inputs = [inputs]
    inside = gradient_of(policy, trainer._compute_loss(policy.train(), inputs))
    assert_same(inside, ours(policy, inputs, make(method)))
    assert trainer._metrics["train"]["objective/loss"] == [pytest.approx(inside[0])]


@pytest.mark.parametrize("method", names())
def test_accumulated_micro_batches_add_up(tiny_policy, modular_problems, tmp_path, method):
    """Two optimizer steps of two micro-batches each, out of one generation."""
    policy, tokenizer = tiny_policy
    trainer = make_trainer(
        policy,
        tokenizer,
        modular_problems,
        tmp_path,
        method,
        per_device_train_batch_size=4,
        gradient_accumulation_steps=2,
        steps_per_generation=4,
    )
    trainer.current_gradient_accumulation_steps = 2
    micro = [draw_inputs(policy, len(tokenizer), seed, rows=4) for seed in range(4)]
    trainer._buffered_inputs = micro
    for step in (0, 2):
        policy.train().zero_grad()
        total = 0.0
        for offset in (0, 1):
            trainer._step = step + offset
            loss = trainer._compute_loss(policy, micro[trainer._step])
            loss.backward()
            total += loss.item()
        gradient = torch.cat([p.grad.flatten() for p in policy.parameters()])
        whole = join(*micro[step : step + 2])
        assert_same((total, gradient), ours(policy, whole, make(method)))


def join(one, other):
    """Return two micro-batches as one batch, padded to the wider of the two."""
    width = max(batch["completion_ids"].shape[1] for batch in (one, other))

    def pad(value):
        missing = width - value.shape[1]
        return torch.nn.functional.pad(value, (0, missing))

    joined = {}
    for name in ("completion_ids", "completion_mask", "old_per_token_logps"):
        joined[name] = torch.cat([pad(batch[name]) for batch in (one, other)])
    for name in ("prompt_ids", "prompt_mask", "advantages"):
        joined[name] = torch.cat([batch[name] for batch in (one, other)])
    return joined


def test_without_old_log_probs_the_ratio_is_one(parts):
    policy, inputs, make_one = parts
    del inputs["old_per_token_logps"]
    trainer = make_one("maspo")
    trainer._buffered_inputs = [inputs]
    trainer._compute_loss(policy.train(), inputs)
    metrics = trainer._metrics["train"]
    assert metrics["objective/ratio_min"] == metrics["objective/ratio_max"] == [1.0]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"beta": 0.04}, "beta"),
        ({"importance_sampling_level": "sequence"}, "importance_sampling_level"),
        ({"top_entropy_quantile": 0.5}, "top_entropy_quantile"),
    ],
)
def test_settings_that_would_change_the_objective_are_refused(parts, changed, name):
    _, _, make_one = parts
    with pytest.raises(ValueError, match=name):
        make_one("maspo", **changed)


def test_wrong_objective_is_refused_by_name(parts):
    _, _, make_one = parts
    with pytest.raises(ValueError, match="mapso"):
        make_one("mapso")


def test_the_importance_cap_weighs_each_token_as_in_our_loop(parts):
    policy, inputs, make_one = parts
    trainer = make_one("maspo")
    trainer.current_gradient_accumulation_steps = 1
    plain = gradient_of(policy, trainer._compute_loss(policy.train(), inputs))
    gap = torch.randn(
        inputs["old_per_token_logps"].shape, generator=torch.Generator().manual_seed(3)
    )
    inputs["sampling_per_token_logps"] = inputs["old_per_token_logps"] - gap
    trainer.importance_cap = 1.5
    capped = gradient_of(policy, trainer._compute_loss(policy.train(), inputs))
    weights = gap.exp().clamp(max=1.5)
    expected = ours(policy, inputs, lambda batch: make("maspo")(replace(batch, importance=weights)))
    assert_same(capped, expected)
    assert not torch.allclose(capped[1], plain[1], atol=1e-4)


def test_an_importance_cap_without_effect_is_refused(parts):
    _, _, make_one = parts
    for cap, message in ((2.0, "use_vllm is off"), (-1.0, "must be positive"), (0.0, "positive")):
        with pytest.raises(ValueError, match=message):
            make_one("maspo", importance_cap=cap)
