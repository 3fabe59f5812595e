"""verl's own actor loss, called with our objectives, and our methods against verl's own."""

import pytest
import torch
from tensordict import TensorDict
from verl.trainer.ppo.core_algos import get_policy_loss_fn
from verl.workers.utils.losses import ppo_loss
from verl_case import METHODS, actor_config, method_overrides, nested, tu

from maspo.integrations.verl.worker import ActorLoss
from maspo.objectives import PolicyBatch, make

LENGTHS = (5, 1, 7, 3)
PROMPT = 2
ADVANTAGES = (1.2, -0.8, -0.3, 0.6)
ENTROPY = 1.5


def draw(seed=0):
    """Return log-probabilities and old ones of four completions, as lists of float64 tensors."""
    random = torch.Generator().manual_seed(seed)
    old = [-3 * torch.rand(n, generator=random, dtype=torch.float64) for n in LENGTHS]
    new = [o + 0.8 * torch.randn(len(o), generator=random, dtype=torch.float64) for o in old]
    return new, old


def padded(rows):
    """Return rows as one tensor, padded with zeros, (B, T)."""
    return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)


def verl_gradient(loss_fn, new, old, cut, dp_size=1):
    """Run verl's actor loss over micro-batches of rows; return total loss and gradients by row."""
    leaves = [row.clone().requires_grad_() for row in new]
    total = 0.0
    for rows in cut:
        shape = [torch.zeros(LENGTHS[r], dtype=torch.long) for r in rows]
        data = TensorDict(
            {
                "prompts": nested([torch.zeros(PROMPT, dtype=torch.long) for _ in rows]),
                "responses": nested(shape),
                "response_mask": nested([torch.ones_like(s) for s in shape]),
                "old_log_probs": nested([old[r] for r in rows]),
                "advantages": nested([torch.full_like(old[r], ADVANTAGES[r]) for r in rows]),
            },
            batch_size=[len(rows)],
        )
        tu.assign_non_tensor(
            data,
            dp_size=dp_size,
            batch_num_tokens=sum(LENGTHS),
            global_batch_size=len(LENGTHS),
        )
        # The model's output covers prompt and completion; position t speaks of token t + 1.
        spread = [
            torch.cat([new_row.new_zeros(PROMPT - 1), new_row, new_row.new_zeros(1)])
            for new_row in (leaves[r] for r in rows)
        ]
        output = {
            "log_probs": nested(spread),
            "entropy": nested([torch.full_like(row.detach(), ENTROPY) for row in spread]),
        }
        loss, _ = loss_fn(model_output=output, data=data)
        loss.backward()
        total += loss.item()
    return total, [leaf.grad for leaf in leaves]


def our_gradient(objective, new, old):
    """Return loss and gradients by row of the whole mini-batch."""
    leaves = [row.clone().requires_grad_() for row in new]
    mask = padded([torch.ones(n) for n in LENGTHS])
    output = objective(
        PolicyBatch(
            log_prob=padded(leaves),
            old_log_prob=padded(old),
            advantages=torch.tensor(ADVANTAGES)[:, None].expand(mask.shape),
            mask=mask,
            entropy=torch.full_like(mask, ENTROPY),
        )
    )
    output.loss.backward()
    return output.loss.item(), [leaf.grad for leaf in leaves]


def assert_close(theirs, ours):
    assert theirs[0] == pytest.approx(ours[0], abs=1e-6)
    for row, (got, wanted) in enumerate(zip(theirs[1], ours[1], strict=True)):
        assert torch.allclose(got, wanted, rtol=0, atol=1e-6), row
    assert max(gradient.abs().max() for gradient in ours[1]) > 1e-5


def of_config(*overrides):
    """Return verl's actor loss under a configuration, wrapped as our worker wraps it."""
    config = actor_config(*overrides)
    loss = ActorLoss(lambda **call: ppo_loss(config=config, **call), config)
    return loss


CUTS = {"whole": [[0, 1, 2, 3]], "pairs": [[0, 1], [2, 3]], "uneven": [[2], [3, 0, 1]]}


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("method", [m for m in METHODS if m != "bapo"])
def test_actor_loss_is_ours(method, cut):
    new, old = draw()
    theirs = verl_gradient(of_config(*method_overrides(method)), new, old, CUTS[cut])
    assert_close(theirs, our_gradient(make(method), new, old))


def test_actor_loss_of_bapo_is_ours_in_one_piece():
    """Its micro-batches need the worker's search: test_verl_worker.py."""
    new, old = draw()
    theirs = verl_gradient(of_config(*method_overrides("bapo")), new, old, CUTS["whole"])
    assert_close(theirs, our_gradient(make("bapo"), new, old))


def test_settings_reach_the_objective():
    new, old = draw()
    theirs = verl_gradient(
        of_config(*method_overrides("maspo", alpha=0.9)), new, old, [[0, 1, 2, 3]]
    )
    assert_close(theirs, our_gradient(make("maspo", alpha=0.9), new, old))
    assert theirs[0] != pytest.approx(our_gradient(make("maspo"), new, old)[0], abs=1e-4)


def test_ranks_average_to_the_mini_batch():
    """verl averages gradients over ranks: two ranks of one half each, dp_size 2."""
    new, old = draw()
    loss = of_config(*method_overrides("maspo"))
    halves = [verl_gradient(loss, new, old, [rows], dp_size=2) for rows in ([0, 1], [2, 3])]
    ours = our_gradient(make("maspo"), new, old)
    assert sum(half[0] for half in halves) / 2 == pytest.approx(ours[0], abs=1e-6)
    for row in range(4):
        got = sum(half[1][row] for half in halves if half[1][row] is not None) / 2
        assert torch.allclose(got, ours[1][row], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("grpo", []),
        ("clip_higher", ["actor_rollout_ref.actor.clip_ratio_high=0.28"]),
        ("sapo", ["actor_rollout_ref.actor.loss_agg_mode=seq-mean-token-mean"]),
    ],
)
def test_our_baselines_are_verls(method, overrides):
    new, old = draw(seed=1)
    mode = "sapo" if method == "sapo" else "vanilla"
    theirs = of_config(f"actor_rollout_ref.actor.policy_loss.loss_mode={mode}", *overrides)
    ours = of_config(*method_overrides(method))
    for cut in CUTS.values():
        assert_close(verl_gradient(theirs, new, old, cut), verl_gradient(ours, new, old, cut))


def test_objective_works_without_our_settings_class():
    """`loss_mode=maspo` alone: verl's own PolicyLossConfig and the method's defaults."""
    new, old = draw()
    config = actor_config("actor_rollout_ref.actor.policy_loss.loss_mode=maspo")
    theirs = verl_gradient(lambda **call: ppo_loss(config=config, **call), new, old, CUTS["pairs"])
    assert_close(theirs, our_gradient(make("maspo"), new, old))


def test_missing_entropy_and_importance_weights_are_refused_by_name():
    loss, ones = get_policy_loss_fn("entropy_adv"), torch.ones(1, 1)
    with pytest.raises(ValueError, match="calculate_entropy=true"):
        loss(old_log_prob=-ones, log_prob=-ones, advantages=ones, response_mask=ones)
    with pytest.raises(ValueError, match="rollout_correction"):
        loss(
            old_log_prob=-ones,
            log_prob=-ones,
            advantages=ones,
            response_mask=ones,
            rollout_is_weights=ones,
        )
