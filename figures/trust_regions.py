"""The trust regions side by side: how much gradient each method leaves a token.

    python figures/trust_regions.py --output DIR

Writes trust_regions.pdf and .png. Every curve is the `weight` of the real objective: 1 is the
plain surrogate rho A, 0 no gradient at all. Below stands MASPO's width sigma.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor

from maspo.objectives import Objective, PolicyBatch, make
from style import apply_style, save

# The order of the paper's table, then the relatives.
METHODS = (
    "grpo",
    "clip_higher",
    "dac",
    "bapo",
    "entropy_adv",
    "sapo",
    "sapo_unilateral",
    "maspo",
    "dgpo",
    "cispo",
    "gspo",
    "dr_grpo",
)
ENTROPY = 1.0  # nats, for the method that asks for it
# Okabe and Ito's colours with line styles, so that grey prints can be read.
OLD_PROBABILITIES = {
    0.9: {"color": "#000000", "linestyle": "-"},
    0.1: {"color": "#0072B2", "linestyle": "--"},
    0.001: {"color": "#D55E00", "linestyle": ":", "linewidth": 2.2},
}
ALL_ALIKE = {"color": "#6E6E6E", "linestyle": "-", "linewidth": 2.2}
RATIOS = torch.logspace(-1, 1, 801, base=10, dtype=torch.float64)


def weights(objective: Objective, advantage: float, old_prob: float) -> Tensor:
    """Return the objective's gradient weight at each of `RATIOS`, one sequence each."""
    log_ratio = RATIOS.log()[:, None]
    old = torch.full_like(log_ratio, old_prob).log()
    return objective(
        PolicyBatch(
            log_prob=old + log_ratio,
            old_log_prob=old,
            advantages=torch.full_like(log_ratio, advantage),
            mask=torch.ones_like(log_ratio, dtype=torch.bool),
            entropy=torch.full_like(log_ratio, ENTROPY),
        )
    ).weight[:, 0]


def bapo_at(end: str) -> Objective:
    """Return BAPO with its search held at the `start` or the `end` of its range."""
    bapo = make("bapo")
    low, high = getattr(bapo, f"clip_low_{end}"), getattr(bapo, f"clip_high_{end}")
    fixed = {"clip_low_start": low, "clip_low_end": low}
    return replace(bapo, **fixed, clip_high_start=high, clip_high_end=high)


def draw_method(axes: Axes, name: str, advantage: float) -> None:
    """Draw one method's weight against rho for one sign of the advantage."""
    if name == "bapo":
        axes.plot(RATIOS, weights(bapo_at("start"), advantage, 0.5), **ALL_ALIKE)
        loose = ALL_ALIKE | {"linestyle": (0, (2, 1))}
        axes.plot(RATIOS, weights(bapo_at("end"), advantage, 0.5), **loose)
        return
    curves = {p: weights(make(name), advantage, p) for p in OLD_PROBABILITIES}
    first = curves[0.9]
    if all(torch.allclose(first, curve) for curve in curves.values()):
        axes.plot(RATIOS, first, **ALL_ALIKE)
        return
    for old_prob, curve in curves.items():
        axes.plot(RATIOS, curve, **OLD_PROBABILITIES[old_prob])


def draw_widths(by_mass: Axes, by_advantage: Axes) -> None:
    """Draw MASPO's sigma against the old probability, and against the advantage."""
    mass = torch.logspace(-6, 0, 301, dtype=torch.float64)
    settings = {
        "alpha 0.3": ({}, {"color": "#000000", "linestyle": "-"}),
        "alpha 0.5": ({"alpha": 0.5}, {"color": "#0072B2", "linestyle": "--"}),
        "alpha 0.5, no clamp": (
            {"alpha": 0.5, "sigma_max": None},
            {"color": "#D55E00", "linestyle": ":", "linewidth": 2.2},
        ),
    }
    for label, (changed, style) in settings.items():
        sigma = 1 / make("maspo", **changed).inverse_sigma(mass.log(), torch.zeros_like(mass))
        by_mass.plot(mass, sigma, label=label.replace("alpha", "$\\alpha$"), **style)
    by_mass.set(xscale="log", yscale="log", xlabel="$\\pi_{old}$", ylabel="$\\sigma$ at $A = 0$")
    by_mass.legend(loc="upper right", fontsize=8)

    advantages = torch.linspace(-4, 4, 201, dtype=torch.float64)
    for old_prob, style in OLD_PROBABILITIES.items():
        old = torch.full_like(advantages, old_prob).log()
        by_advantage.plot(advantages, 1 / make("maspo").inverse_sigma(old, advantages), **style)
    by_advantage.set(yscale="log", xlabel="advantage $A$", ylabel="$\\sigma$", ylim=(0.7, 14))
    by_advantage.set_yticks([1, 2, 5, 10], ["1", "2", "5", "10"])
    by_advantage.minorticks_off()


def trust_regions() -> Figure:
    """Draw the figure: two methods a row, each with A > 0 and A < 0; widths in the last row."""
    rows = (len(METHODS) + 1) // 2
    figure = plt.figure(figsize=(9, 1.35 * rows + 3.6), layout="constrained")
    grid = figure.add_gridspec(rows + 1, 4, height_ratios=[1] * rows + [1.7])
    shared = None
    for index, name in enumerate(METHODS):
        row, pair = divmod(index, 2)
        for side, advantage in enumerate((1.0, -1.0)):
            axes = figure.add_subplot(grid[row, 2 * pair + side], sharex=shared, sharey=shared)
            shared = shared or axes
            axes.axvline(1, color="#B0B0B0", linewidth=0.8, zorder=0)
            draw_method(axes, name, advantage)
            label = f"{name} (H = {ENTROPY:g})" if make(name).needs_entropy else name
            axes.set_title(f"{label}, A {'>' if advantage > 0 else '<'} 0", fontsize=9)
            axes.tick_params(labelleft=2 * pair + side == 0, labelbottom=row == rows - 1)
            if row == rows - 1:
                axes.set_xlabel("$\\rho$")
            if pair + side == 0:
                axes.set_ylabel("weight")
    shared.set(xscale="log", ylim=(-0.08, 1.6), yticks=[0, 0.5, 1, 1.5])
    shared.set_xticks([0.1, 0.3, 1, 3, 10], ["0.1", "0.3", "1", "3", "10"])
    shared.minorticks_off()
    draw_widths(figure.add_subplot(grid[rows, :2]), figure.add_subplot(grid[rows, 2:]))
    handles = [
        plt.Line2D([], [], label=f"$\\pi_{{old}}$ = {p:g}", **style)
        for p, style in OLD_PROBABILITIES.items()
    ]
    handles.append(plt.Line2D([], [], label="any $\\pi_{old}$", **ALL_ALIKE))
    widest = ALL_ALIKE | {"linestyle": (0, (2, 1))}
    handles.append(plt.Line2D([], [], label="bapo at its last bounds", **widest))
    figure.legend(handles=handles, loc="outside upper center", ncols=5, fontsize=9)
    return figure


def main() -> None:
    """Read the command line and write the figure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("results/figures"))
    arguments = parser.parse_args()
    apply_style()
    save(trust_regions(), arguments.output, "trust_regions")


if __name__ == "__main__":
    main()
