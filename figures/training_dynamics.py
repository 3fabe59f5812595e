"""Training dynamics: reward, entropy, gated fraction and length against the rollout batch."""

import matplotlib.pyplot as plt

from results import arguments, read_metrics, read_scores
from style import apply_style, save, styles_for

PANELS = {
    "reward": "Reward",
    "entropy": "Entropy of the old policy (nats)",
    "gated_fraction": "Tokens with gradient weight < 1",
    "completion_length": "Completion length (tokens)",
}


def main() -> None:
    options = arguments(__doc__)
    scores = read_scores(options.results, options.sweep)
    labels = scores[scores.variant != "base"].drop_duplicates("variant").set_index("variant").label
    styles = styles_for(list(labels.index))
    apply_style()
    figure, axes = plt.subplots(2, 2, figsize=(8, 5.2), sharex=True, layout="constrained")
    for variant, label in labels.items():
        seeds = sorted(scores.seed[scores.variant == variant].unique())
        steps = read_metrics(options.results, variant, seeds).groupby("step")
        look = {key: styles[variant][key] for key in ("color", "linestyle")}
        for axis, metric in zip(axes.flat, PANELS, strict=True):
            mean = steps[metric].mean()
            axis.plot(mean.index, mean, label=label, **look)
            axis.fill_between(
                mean.index,
                steps[metric].min(),
                steps[metric].max(),
                color=look["color"],
                alpha=0.15,
                linewidth=0,
            )
    for axis, title in zip(axes.flat, PANELS.values(), strict=True):
        axis.set_title(title, loc="left", fontsize=9)
    for axis in axes[1]:
        axis.set_xlabel("Rollout batch")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(labels)
    )
    save(figure, options.output, "training_dynamics")


if __name__ == "__main__":
    main()
