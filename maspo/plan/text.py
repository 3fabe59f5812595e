"""The plan as text."""

from maspo.config import Experiment
from maspo.plan.hardware import CARDS, Architecture
from maspo.plan.local import job_of, memory_phases, pass_tokens, phase_seconds
from maspo.plan.roofline import ASSUMED_BANDWIDTH, ASSUMED_COMPUTE, concurrent, predicted_seconds

USABLE = 0.95  # share of a card's memory; CUDA itself and fragments take the rest. Assumed


def describe(policy: Architecture, experiment: Experiment) -> str:
    """Return memory by phase, tokens a step and hours a run on each card."""
    train, job = experiment.train, job_of(experiment)
    rows = train.prompts_per_batch * train.group_size
    tokens = rows * (job.prompt + job.completion)
    lines = [
        f"Plan of one run, scale {experiment.scale}. Arithmetic, not measurement.",
        f"Policy: {policy.parameters / 1e6:,.2f} million parameters. {train.steps} steps of "
        f"{train.prompts_per_batch} prompts x {train.group_size} completions, "
        f"{train.updates_per_batch} updates each.",
        f"Tokens of a step: {tokens / 1e6:.2f} million ({rows} sequences of {job.prompt} + "
        f"{job.completion}; mean lengths are assumed).",
        f"Tokens of one pass of an update: at most {pass_tokens(experiment):,}, padding included.",
    ]
    for name, card in CARDS.items():
        phases = memory_phases(policy, experiment, card.memory)
        lines += ["", f"{name}, {card.memory / 1e9:.0f} GB"]
        for phase, parts in phases.items():
            total = sum(parts.values())
            verdict = "fits" if total <= USABLE * card.memory else "DOES NOT FIT"
            lines.append(f"  memory of the {phase}: {total / 1e9:.1f} GB, {verdict}")
            lines += [f"    {size / 1e9:6.1f} GB  {part}" for part, size in parts.items() if size]
        seconds = phase_seconds(policy, card, experiment)
        step = predicted_seconds(seconds)
        lines.append(
            f"  time of a step: {sum(seconds.values()):.0f} s at the roofline, {step:.0f} s at "
            f"{ASSUMED_COMPUTE:.0%} of the matrix rate and {ASSUMED_BANDWIDTH:.0%} of the "
            "bandwidth (assumed)"
        )
        lines += [f"    {part:6.0f} s  {phase}, roofline" for phase, part in seconds.items()]
        lines.append(f"  completions decoded together: {concurrent(policy, card, job)}")
        lines.append(f"  a run: {train.steps * step / 3600:.1f} hours, without evaluation")
    return "\n".join(lines) + "\n"
