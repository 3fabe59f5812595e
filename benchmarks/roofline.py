"""Roofline arithmetic of an RL step: `python -m benchmarks.roofline` prints docs/performance.md's.

Nothing is measured here. The arithmetic, its sources and its assumptions stand in `maspo.plan`.
"""

from maspo.plan.hardware import BFLOAT16, CARDS, POLICIES
from maspo.plan.local import COMPLETION, PROMPT, logits_bytes, training_bytes
from maspo.plan.roofline import Job, concurrent, predicted_seconds, step_seconds

# 128 prompts of 8 (configs/train/gpu.yaml).
GPU_JOB = Job(completions=1024, prompt=PROMPT, completion=COMPLETION)


def _whole(seconds: float) -> str:
    return f"{seconds:.0f}" if seconds < float("inf") else "does not fit"


def time_table(job: Job = GPU_JOB) -> str:
    """Return the roofline and the prediction of every policy on every card, on one card."""
    lines = [
        "| policy | card | together | prefill | decode | old log-probs | update | roofline "
        "| predicted |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, policy in POLICIES.items():
        for label, card in CARDS.items():
            phases = step_seconds(policy, card, job)
            cells = [*phases.values(), sum(phases.values()), predicted_seconds(phases)]
            lines.append(
                f"| {name} | {label} | {concurrent(policy, card, job)} | "
                + " | ".join(map(_whole, cells))
                + " |"
            )
    return "\n".join(lines)


def memory_table() -> str:
    """Return what must be held, in GB."""
    tokens = 8 * 4096
    lines = [
        "| policy | parameters (10⁹) | weights, bfloat16 | cache of a token (kB) "
        "| weights, gradients, Adam, float32 | logits, naive | logits, chunked |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, policy in POLICIES.items():
        giga = [
            policy.parameters * BFLOAT16,
            sum(training_bytes(policy).values()),
            logits_bytes(policy, tokens, None),
            logits_bytes(policy, tokens, 4096),
        ]
        weights, training, naive, chunked = (f"{value / 1e9:.1f}" for value in giga)
        lines.append(
            f"| {name} | {policy.parameters / 1e9:.2f} | {weights} | "
            f"{policy.cache_bytes / 1e3:.1f} | {training} | {naive} | {chunked} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(time_table())
    print()
    print(memory_table())
