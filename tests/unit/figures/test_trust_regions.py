"""The trust regions that are drawn are the formulas of the papers, over the ratio."""

import pytest
import torch


def expected(name, rho, advantage, old_prob):
    """Return the weight of a token, written out from the formula and not from the package."""
    if name == "grpo":
        low, high = (0.8, 1.2)
        kept = rho <= high if advantage > 0 else (rho >= low) & (rho <= 3.0)
        return kept.double()
    if name == "clip_higher":
        kept = rho <= 1.28 if advantage > 0 else (rho >= 0.8) & (rho <= 3.0)
        return kept.double()
    if name == "sapo":
        tau = 1.0 if advantage > 0 else 1.05
        gate = torch.sigmoid(tau * (rho - 1))
        return 4 * gate * (1 - gate)
    mass = min(1 / old_prob**0.3, 10)
    risk = 1 + 0.03 if advantage > 0 else 1 / (1 + 0.03)
    active = rho > 1 if advantage > 0 else rho < 1
    gate = torch.exp(-((rho - 1) ** 2) / (2 * (mass * risk) ** 2))
    return torch.where(active, gate, torch.ones_like(gate))


@pytest.mark.parametrize("name", ["grpo", "clip_higher", "sapo", "maspo"])
@pytest.mark.parametrize("advantage", [1.0, -1.0])
def test_curves_are_the_formulas(name, advantage, script):
    module = script("trust_regions")
    for old_prob in module.OLD_PROBABILITIES:
        drawn = module.weights(module.make(name), advantage, old_prob)
        wanted = expected(name, module.RATIOS, advantage, old_prob)
        assert torch.allclose(drawn, wanted, atol=1e-9), old_prob


def test_the_figure_draws_these_curves(script):
    """MASPO's panels hold one curve for each old probability, equal to `weights`."""
    module = script("trust_regions")
    figure = module.trust_regions()
    (axis,) = (
        a
        for a in figure.axes
        if a.get_title() == "maspo, A > 0" or a.get_title(loc="left") == "maspo, A > 0"
    )
    drawn = [line for line in axis.lines if len(line.get_xdata()) == len(module.RATIOS)]
    assert len(drawn) == len(module.OLD_PROBABILITIES)
    for line, old_prob in zip(drawn, module.OLD_PROBABILITIES, strict=True):
        wanted = module.weights(module.make("maspo"), 1.0, old_prob)
        assert torch.allclose(torch.as_tensor(line.get_ydata()), wanted)
