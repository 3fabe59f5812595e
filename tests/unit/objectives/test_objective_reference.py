"""Loss, gradient, weight and metrics against the NumPy reference of `objective_reference`."""

import numpy as np
import objective_reference as reference
import pytest
import torch
from objective_cases import adversarial_arrays, random_arrays, run, to_batch

from maspo.objectives import make, names
from maspo.objectives.primitives import AGGREGATIONS

MASPO_VARIANTS = {
    "no_mass": {"alpha": 0.0},
    "no_risk": {"beta_high": 0.0, "beta_low": 0.0},
    "gaussian_only": {"alpha": 0.0, "beta_high": 0.0, "beta_low": 0.0},
    "paper": {"sigma_max": None, "risk_min": None, "risk_max": None},
    "bilateral": {"bilateral": True},
    "attached": {"attached_gate": True},
    "bilateral_attached": {"bilateral": True, "attached_gate": True},
    "tight": {"sigma_base": 0.2, "alpha": 0.5, "beta_high": 2.0, "beta_low": 2.0},
}
CASES = [(name, {}) for name in reference.DEFAULTS]
CASES += [("maspo", changed) for changed in MASPO_VARIANTS.values()]
CASES += [("gate", {"distance": d} | s) for d in ("tv", "kl") for s in ({}, {"bilateral": True})]
CASES += [
    ("gate", {"distance": "tv", "sigma_base": 0.2}),
    ("gate", {"distance": "kl", "sigma_base": 0.2, "alpha": 0.5}),
    ("grpo", {"dual_clip": None}),
    ("clip_higher", {"clip_low": 0.1, "clip_high": 0.5}),
    ("dac", {"dual_clip": None, "ratio_max": 4.0}),
    ("bapo", {"target": 0.5}),
    ("cispo", {"clip_low": 0.5, "clip_high": 1.0}),
    ("dgpo", {"n": 2, "m": 3}),
    ("gspo", {"clip_low": 0.3, "clip_high": 0.3}),
    ("entropy_adv", {"alpha": 2.0, "kappa": 1.5}),
]


def compare(name, arrays, aggregation=None, **changed):
    settings = changed | ({} if aggregation is None else {"aggregation": aggregation})
    output, gradient = run(make(name, **settings), to_batch(arrays))
    loss, wanted, weight = reference.evaluate(name, **arrays, **settings)
    assert output.loss.item() == pytest.approx(loss, rel=1e-9, abs=1e-12)
    np.testing.assert_allclose(gradient.numpy(), wanted, rtol=1e-9, atol=1e-14)
    np.testing.assert_allclose(output.weight.numpy(), weight, rtol=1e-7, atol=1e-14)
    return output


def test_the_reference_knows_every_method():
    assert set(reference.DEFAULTS) == set(names())


@pytest.mark.parametrize(("name", "changed"), CASES)
@pytest.mark.parametrize("seed", range(3))
def test_random_inputs(name, changed, seed):
    output = compare(name, random_arrays(seed), **changed)
    assert output.loss.isfinite()


@pytest.mark.parametrize(("name", "changed"), CASES)
def test_adversarial_inputs(name, changed):
    output = compare(name, adversarial_arrays(), **changed)
    assert output.loss.isfinite()


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("name", sorted(set(reference.DEFAULTS) - {"dr_grpo"}))
def test_aggregations(name, aggregation):
    output = compare(name, random_arrays(7), aggregation)
    assert output.loss.isfinite()


@pytest.mark.parametrize("name", names())
def test_common_metrics(name):
    arrays = random_arrays(3)
    output, _ = run(make(name), to_batch(arrays))
    mask = arrays["mask"]
    log_rho = (arrays["log_prob"] - arrays["old"])[mask]
    weight = reference.evaluate(name, **arrays)[2][mask]
    expected = {
        "ratio_mean": np.exp(log_rho).mean(),
        "ratio_min": np.exp(log_rho).min(),
        "ratio_max": np.exp(log_rho).max(),
        "approx_kl": (np.exp(log_rho) - 1 - log_rho).mean(),
        "gated_fraction": (weight < 1 - 1e-12).mean(),
        "zero_gradient_fraction": (weight == 0).mean(),
        "weight_mean": weight.mean(),
    }
    measured = {key: output.metrics[key] for key in expected}
    assert measured == pytest.approx(expected, rel=1e-9)
    assert all(type(value) is float for value in output.metrics.values())


def test_own_metrics():
    arrays = random_arrays(4)
    mask = arrays["mask"]
    old, adv = np.exp(arrays["old"][mask]), arrays["adv"][mask]
    settings = reference.DEFAULTS["maspo"]
    widths = [reference.sigma(a, p, settings) for a, p in zip(adv, old, strict=True)]
    maspo = run(make("maspo"), to_batch(arrays))[0].metrics
    assert maspo["sigma_mean"] == pytest.approx(np.mean(widths), rel=1e-9)

    shaped = run(make("entropy_adv"), to_batch(arrays))[0].metrics
    bonus = np.minimum(0.4 * arrays["entropy"][mask], np.abs(adv) / 2)
    assert shaped["bonus_mean"] == pytest.approx(bonus.mean(), rel=1e-9)

    dac = run(make("dac"), to_batch(arrays))[0].metrics
    high = np.minimum((1 + np.sqrt(1 + 0.8 / old)) / 2, 10)
    low = (1 + np.sqrt(np.maximum(1 - 0.64 / old, 0))) / 2
    assert dac["clip_high_mean"] == pytest.approx(high.mean(), rel=1e-9)
    assert dac["clip_low_mean"] == pytest.approx(low.mean(), rel=1e-9)


@pytest.mark.parametrize("name", names())
def test_the_weight_carries_no_graph(name):
    output, _ = run(make(name), to_batch(random_arrays(0)))
    assert not output.weight.requires_grad
    assert output.weight.shape == (6, 9)
    assert output.loss.shape == torch.Size([])
