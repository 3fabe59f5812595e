"""What must hold for any input: limits, signs, monotony. Inputs are drawn by hypothesis."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from objective_cases import random_arrays, run, to_batch, uniform

from maspo.objectives import make, names

drawn = settings(deadline=None, derandomize=True, max_examples=30)

ratios = st.floats(0.05, 20.0)
probabilities = st.floats(1e-12, 1.0)
advantages = st.floats(-8.0, 8.0).filter(lambda a: abs(a) > 1e-6)
positive_advantages = st.floats(1e-3, 20.0)
seeds = st.integers(0, 10_000)


def weight(objective, ratio, advantage, old_prob):
    return run(objective, uniform(ratio, advantage, old_prob))[0].weight


def slope(objective, ratio, advantage, old_prob):
    """d surrogate / d log_prob of one token, by autograd."""
    return -run(objective, uniform(ratio, advantage, old_prob))[1].item()


@pytest.mark.parametrize("name", names())
@drawn
@given(advantage=advantages, old_prob=probabilities)
def test_at_ratio_one_the_gradient_is_the_advantage(name, advantage, old_prob):
    scale = 3000 if name == "dr_grpo" else 1  # its constant length
    measured = slope(make(name), 1.0, advantage, old_prob) * scale
    assert measured == pytest.approx(advantage, rel=1e-9)


@drawn
@given(advantage=advantages, entropy=st.floats(0, 5))
def test_at_ratio_one_entropy_advantage_has_the_shaped_advantage(advantage, entropy):
    gradient = run(make("entropy_adv"), uniform(1.0, advantage, 0.5, entropy=entropy))[1]
    shaped = advantage + min(0.4 * entropy, abs(advantage) / 2)
    assert -gradient.item() == pytest.approx(shaped, rel=1e-9)


@drawn
@given(ratio=ratios, advantage=advantages, old_prob=probabilities)
def test_a_gate_of_infinite_width_leaves_the_plain_surrogate(ratio, advantage, old_prob):
    batch = uniform(ratio, advantage, old_prob)
    wide = make("maspo", sigma_base=1e9, sigma_max=None)
    output, gradient = run(wide, batch)
    assert -output.loss.item() == pytest.approx(ratio * advantage, rel=1e-9)
    assert -gradient.item() == pytest.approx(ratio * advantage, rel=1e-9)


@drawn
@given(ratio=ratios, advantage=advantages, old_prob=probabilities)
def test_bounds_that_never_bind_leave_the_plain_surrogate(ratio, advantage, old_prob):
    open_clip = make("grpo", clip_low=1.0, clip_high=1e9, dual_clip=None)
    output, gradient = run(open_clip, uniform(ratio, advantage, old_prob))
    assert -output.loss.item() == pytest.approx(ratio * advantage, rel=1e-12)
    assert -gradient.item() == pytest.approx(ratio * advantage, rel=1e-12)


@drawn
@given(seed=seeds, bound=st.floats(0.01, 0.9))
def test_clip_higher_with_equal_bounds_is_grpo(seed, bound):
    equal = {"clip_low": bound, "clip_high": bound}
    one = run(make("clip_higher", **equal), to_batch(random_arrays(seed)))
    other = run(make("grpo", **equal), to_batch(random_arrays(seed)))
    assert torch.equal(one[0].loss, other[0].loss)
    assert torch.equal(one[1], other[1])


@drawn
@given(seed=seeds, sigma=st.floats(0.1, 5.0))
def test_without_alpha_and_beta_the_width_is_sigma_base(seed, sigma):
    arrays = random_arrays(seed)
    plain = make("maspo", sigma_base=sigma, alpha=0.0, beta_high=0.0, beta_low=0.0)
    output, gradient = run(plain, to_batch(arrays))
    batch = to_batch(arrays)
    rho = (batch.log_prob - batch.old_log_prob).exp()
    far = ((rho > 1) & (batch.advantages > 0)) | ((rho < 1) & (batch.advantages < 0))
    gate = torch.where(far, (-((rho - 1) ** 2) / (2 * sigma**2)).exp(), 1.0).detach()
    loss = -(gate * rho * batch.advantages)[batch.mask].mean()
    loss.backward()
    torch.testing.assert_close(output.loss, loss.detach(), rtol=1e-12, atol=1e-14)
    torch.testing.assert_close(gradient, batch.log_prob.grad, rtol=1e-12, atol=1e-14)
    assert output.metrics["sigma_mean"] == pytest.approx(sigma)


@pytest.mark.parametrize("name", ["maspo", "sapo_unilateral"])
@drawn
@given(ratio=ratios, advantage=advantages, old_prob=probabilities)
def test_a_one_sided_gate_acts_only_on_its_side(name, ratio, advantage, old_prob):
    far = (advantage > 0 and ratio > 1) or (advantage < 0 and ratio < 1)
    measured = weight(make(name), ratio, advantage, old_prob).item()
    if not far:
        assert measured == 1.0
    elif abs(ratio - 1) > 1e-3 and old_prob > 0.01:
        assert 0 <= measured < 1


@drawn
@given(distance=st.floats(0.01, 0.9), advantage=advantages)
def test_bilateral_gates_both_sides_alike(distance, advantage):
    both = make("maspo", bilateral=True)
    measured = weight(both, [1 - distance, 1 + distance], advantage, 0.5)
    assert measured[0, 0].item() == pytest.approx(measured[0, 1].item(), rel=1e-9)
    assert measured.max() < 1


@drawn
@given(ratio=st.floats(1.05, 6.0), pair=st.tuples(probabilities, probabilities))
def test_the_gate_widens_as_the_old_probability_falls(ratio, pair):
    rare, common = sorted(pair)
    up = weight(make("maspo"), ratio, 1.0, [rare, common])[0]
    down = weight(make("maspo"), 1 / ratio, -1.0, [rare, common])[0]
    assert up[0] >= up[1]
    assert down[0] >= down[1]


@drawn
@given(pair=st.tuples(positive_advantages, positive_advantages), old_prob=probabilities)
def test_sigma_pos_rises_and_sigma_neg_falls_with_the_advantage(pair, old_prob):
    small, large = sorted(pair)
    objective = make("maspo")
    signed = torch.tensor([small, large, -small, -large], dtype=torch.float64)
    old = torch.full_like(signed, old_prob).log()
    low_pos, high_pos, low_neg, high_neg = (1 / objective.inverse_sigma(old, signed)).tolist()
    mass = min(old_prob**-0.3, 10)
    assert mass < low_pos <= high_pos
    assert mass > low_neg >= high_neg > 0


@drawn
@given(pair=st.tuples(ratios, ratios), advantage=advantages, old_prob=probabilities)
def test_the_weight_of_maspo_never_rises_with_the_distance(pair, advantage, old_prob):
    near, far = sorted(pair, key=lambda ratio: abs(ratio - 1))
    if (near > 1) == (far > 1):
        measured = weight(make("maspo"), [near, far], advantage, old_prob)[0]
        assert measured[1] <= measured[0]


@pytest.mark.parametrize("name", sorted(set(names()) - {"dr_grpo", "gspo"}))
@drawn
@given(ratio=ratios, advantage=advantages, old_prob=probabilities)
def test_the_weight_is_the_derivative_over_the_advantage(name, ratio, advantage, old_prob):
    objective = make(name)
    measured = weight(objective, ratio, advantage, old_prob).item()
    by_autograd = slope(objective, ratio, advantage, old_prob) / (ratio * advantage)
    assert measured == pytest.approx(by_autograd, rel=1e-9, abs=1e-12)
    assert measured >= 0


@drawn
@given(ratio=ratios, advantage=advantages, old_prob=probabilities)
def test_dgpo_is_continuous_and_never_zero(ratio, advantage, old_prob):
    measured = weight(make("dgpo"), [ratio, ratio * (1 + 1e-9)], advantage, old_prob)[0]
    assert measured[0].item() == pytest.approx(measured[1].item(), rel=1e-6)
    assert 0 < measured[0] <= 1


@drawn
@given(advantage=advantages, ratio=ratios)
def test_cispo_caps_the_pull_at_its_upper_bound(advantage, ratio):
    pull = slope(make("cispo"), ratio, advantage, 0.5)
    assert pull == pytest.approx(min(ratio, 5.0) * advantage, rel=1e-9)


@drawn
@given(seed=seeds)
def test_gspo_in_token_form_has_the_gradient_of_the_sequence_form(seed):
    arrays = random_arrays(seed, spread=0.02)
    wide = make("gspo", clip_low=0.5, clip_high=0.5)
    output, gradient = run(wide, to_batch(arrays))
    batch = to_batch(arrays)
    rows = []
    for row in range(batch.mask.shape[0]):
        valid = batch.mask[row]
        mean = (batch.log_prob - batch.old_log_prob)[row][valid].mean()
        rows.append(mean.exp() * batch.advantages[row, 0])
    loss = -torch.stack(rows).mean()
    loss.backward()
    assert output.loss.item() == pytest.approx(loss.item(), rel=1e-9)
    torch.testing.assert_close(gradient, batch.log_prob.grad, rtol=1e-9, atol=1e-14)


def test_dr_grpo_is_the_sum_over_tokens_by_constants():
    arrays = random_arrays(11)
    plain = make("grpo", aggregation="seq_mean_token_sum", dual_clip=None)
    summed = run(plain, to_batch(arrays))
    divided = run(make("dr_grpo", max_tokens=50), to_batch(arrays))
    torch.testing.assert_close(divided[0].loss, summed[0].loss / 50)
    torch.testing.assert_close(divided[1], summed[1] / 50)
    assert divided[0].loss != 0
