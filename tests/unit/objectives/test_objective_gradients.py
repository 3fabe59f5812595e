"""Derivatives by finite differences, and the stop-gradients where the methods have one."""

import pytest
import torch
from objective_cases import random_arrays, run, to_batch, uniform

from maspo.objectives import PolicyBatch, make, names

# Away from bounds these are derivatives of the value that the loss shows. DGPO, CISPO and the
# detached MASPO are not: they stop a gradient on purpose.
DIFFERENTIABLE = {
    "grpo": {},
    "clip_higher": {},
    "dr_grpo": {},
    "dac": {},
    "bapo": {},
    "entropy_adv": {},
    "sapo": {},
    "sapo_unilateral": {},
    "maspo": {"attached_gate": True},
    "gate": {"attached_gate": True},
}


@pytest.mark.parametrize(
    ("name", "settings"),
    [*DIFFERENTIABLE.items(), ("maspo", {"attached_gate": True, "bilateral": True})],
)
def test_gradcheck(name, settings):
    objective = make(name, **settings)
    batch = to_batch(random_arrays(5, rows=4, columns=6))

    def loss(log_prob):
        fields = (batch.old_log_prob, batch.advantages, batch.mask, batch.entropy)
        return objective(PolicyBatch(log_prob, *fields)).loss

    assert torch.autograd.gradcheck(loss, batch.log_prob, eps=1e-7, atol=1e-6)


def test_every_method_is_either_differentiable_or_stops_a_gradient():
    assert set(names()) - set(DIFFERENTIABLE) == {"cispo", "dgpo", "gspo"}


STOPPING = [("maspo", {}), ("dgpo", {}), ("gate", {"distance": "tv"}), ("gate", {"distance": "kl"})]


@pytest.mark.parametrize(("ratio", "advantage"), [(2.0, 1.0), (0.4, -1.0)])
@pytest.mark.parametrize(("name", "settings"), STOPPING)
def test_the_weight_of_a_token_is_a_constant_of_the_gradient(name, settings, ratio, advantage):
    output, gradient = run(make(name, **settings), uniform(ratio, advantage))
    weight = output.weight.item()
    assert 0 < weight < 1
    assert -output.loss.item() == pytest.approx(weight * ratio * advantage, rel=1e-12)
    assert -gradient.item() == pytest.approx(weight * ratio * advantage, rel=1e-12)


def test_cispo_differentiates_only_the_log_probability():
    batch = uniform(2.0, 1.5, old_prob=0.25)
    output, gradient = run(make("cispo"), batch)
    assert -output.loss.item() == pytest.approx(2.0 * 1.5 * batch.log_prob.item(), rel=1e-12)
    assert -gradient.item() == pytest.approx(2.0 * 1.5, rel=1e-12)


@pytest.mark.parametrize("bilateral", [False, True])
def test_the_attached_gate_changes_the_gradient_and_not_the_loss(bilateral):
    detached = run(make("maspo", bilateral=bilateral), uniform([2.0, 3.0, 0.5], [1.0, 1.0, -1.0]))
    attached = run(
        make("maspo", bilateral=bilateral, attached_gate=True),
        uniform([2.0, 3.0, 0.5], [1.0, 1.0, -1.0]),
    )
    assert torch.equal(detached[0].loss, attached[0].loss)
    assert (detached[1] != attached[1]).all()
    # beyond rho (rho - 1) = sigma^2 the attached gate turns the sign: it pushes the token back
    assert attached[0].weight[0, 1] < 0 < detached[0].weight[0, 1]


@pytest.mark.parametrize("name", names())
def test_only_log_prob_receives_a_gradient(name):
    batch = to_batch(random_arrays(2))
    others = [batch.old_log_prob, batch.advantages, batch.entropy]
    for tensor in others:
        tensor.requires_grad_()
    make(name)(batch).loss.backward()
    assert batch.log_prob.grad.abs().sum() > 0
    assert all(tensor.grad is None for tensor in others)
