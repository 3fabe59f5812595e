"""The plan as text."""

from maspo.config import Experiment
from maspo.plan.hardware import CARDS, Architecture
from maspo.plan.local import job_of, memory_phases, pass_tokens, phase_seconds
from maspo.plan.roofline import ASSUMED_BANDWIDTH, MEASURED_COMPUTE, concurrent, predicted_seconds

USABLE = 0.95  # share of a card's memory; CUDA itself and fragments take the rest. Assumed


def describe(policy: Architecture, experiment: Experiment) -> str:
    """Return memory by phase, tokens a step and hours a run on each card.

    Of a run on a CPU there is no time, and no card that its memory is compared with.
    """
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
    if experiment.model.device == "cpu":
        lines += ["", "CPU; model.device=cuda plans for the cards. Time is not predicted here."]
        return "\n".join([*lines, *_memory_lines(policy, experiment, None)]) + "\n"
    for name, card in CARDS.items():
        lines += ["", f"{name}, {card.memory / 1e9:.0f} GB"]
        lines += _memory_lines(policy, experiment, card.memory)
        seconds = phase_seconds(policy, card, experiment)
        step = predicted_seconds(seconds)
        lines.append(
            f"  time of a step: {sum(seconds.values()):.0f} s at the roofline, {step:.0f} s at "
            f"{MEASURED_COMPUTE:.0%} of the matrix rate (measured) and {ASSUMED_BANDWIDTH:.0%} of "
            "the bandwidth (assumed)"
        )
        lines += [f"    {part:6.0f} s  {phase}, roofline" for phase, part in seconds.items()]
        lines.append(f"  completions decoded together: {concurrent(policy, card, job)}")
        lines.append(f"  a run: {train.steps * step / 3600:.1f} hours, without evaluation")
    return "\n".join(lines) + "\n"


def _memory_lines(policy: Architecture, experiment: Experiment, memory: float | None) -> list[str]:
    """Return the parts of each phase, and whether they fit into a card's memory, if there is one.

    An engine of vLLM on a CPU takes what VLLM_CPU_KVCACHE_SPACE says beside its weights.
    """
    unit, size_of = ("GB", 1e9) if memory or policy.parameters > 1e8 else ("MB", 1e6)
    lines = []
    for phase, parts in memory_phases(policy, experiment, memory or 0).items():
        total = sum(parts.values())
        room = "fits" if total <= USABLE * (memory or 0) else "DOES NOT FIT"
        room = f", {room}" if memory else ""
        lines.append(f"  memory of the {phase}: {total / size_of:.1f} {unit}{room}")
        lines += [f"    {n / size_of:6.1f} {unit}  {part}" for part, n in parts.items() if n]
    return lines
