"""A step cannot be faster than its arithmetic at a card's matrix rate and its reads from memory."""

from dataclasses import dataclass

from maspo.plan.hardware import BFLOAT16, Architecture, Card

CHUNKED_EXTRA = 1  # the head is multiplied once more in the backward pass
# Shares of the roofline that well-tuned software is taken to reach. Assumed, not measured.
ASSUMED_COMPUTE, ASSUMED_BANDWIDTH = 0.4, 0.6
WHOLE_CARD = 0.9  # share of a card that an engine alone on it may take


@dataclass(frozen=True)
class Job:
    """One rollout batch and its updates."""

    completions: int
    prompt: int  # tokens, mean
    completion: int  # tokens, mean
    most: int | None = None  # completions decoded together; as many as fit without
    memory_share: float = WHOLE_CARD  # of the card, for the engine's weights and caches


def concurrent(policy: Architecture, card: Card, job: Job) -> int:
    """Return how many completions fit beside the weights, at their mean length; 0 if none."""
    free = job.memory_share * card.memory - policy.parameters * BFLOAT16
    each = policy.cache_bytes * (job.prompt + job.completion)
    return max(0, min(job.completions, job.most or job.completions, int(free / each)))


def decode_seconds(policy: Architecture, card: Card, job: Job) -> float:
    """Return the time of decoding with finished rows replaced at once (vLLM), at the roofline.

    Each decoded token reads its own keys and values, and a share of the weights: they are read
    once for all completions that are decoded together.
    """
    rows = concurrent(policy, card, job)
    if not rows:
        return float("inf")
    context = job.prompt + job.completion / 2
    weights = (policy.layer_weights + policy.head_weights) * BFLOAT16
    read = weights / rows + policy.cache_bytes * context
    arithmetic = policy.forward_flops(context)
    tokens = job.completions * job.completion
    return tokens * max(read / card.bandwidth, arithmetic / card.flops)


def pass_seconds(policy: Architecture, card: Card, job: Job, forwards: float) -> float:
    """Return the time of so many forward passes' arithmetic over whole sequences."""
    length = job.prompt + job.completion
    return forwards * job.completions * length * policy.forward_flops(length / 2) / card.flops


def head_seconds(policy: Architecture, job: Job, products: float, flops: float) -> float:
    """Return the time of so many products of all completions with the head."""
    return products * job.completions * job.completion * 2 * policy.head_weights / flops


def step_seconds(policy: Architecture, card: Card, job: Job) -> dict[str, float]:
    """Return the roofline of each phase: 2N a token forward, 6N a token and update."""
    prompts = Job(job.completions, job.prompt, 0)
    return {
        "prefill": pass_seconds(policy, card, prompts, 1),
        "decode": decode_seconds(policy, card, job),
        "old log-probabilities": pass_seconds(policy, card, job, 1),
        "update": pass_seconds(policy, card, job, 3)
        + head_seconds(policy, job, CHUNKED_EXTRA, card.flops),
    }


def predicted_seconds(phases: dict[str, float]) -> float:
    """Return a step at the assumed shares of the roofline, from its phases."""
    decode = phases["decode"] / ASSUMED_BANDWIDTH
    return decode + sum(s for name, s in phases.items() if name != "decode") / ASSUMED_COMPUTE
