"""A step cannot be faster than its arithmetic at a card's matrix rate and its reads from memory."""

from dataclasses import dataclass

from maspo.plan.hardware import BFLOAT16, Architecture, Card

# Shares of the roofline that software reaches. Arithmetic: what this package's passes at 1.5B
# reached on an H100 (docs/performance.md); reading: what a well-tuned engine is taken to reach.
MEASURED_COMPUTE, ASSUMED_BANDWIDTH = 0.31, 0.6
WHOLE_CARD = 0.9  # share of a card that an engine alone on it may take


@dataclass(frozen=True)
class Job:
    """One rollout batch and its updates."""

    completions: int
    prompt: int  # tokens, mean
    completion: int  # tokens, mean
    most: int | None = None  # completions decoded together; as many as fit without
    memory_share: float = WHOLE_CARD  # of the card, for the engine's weights and caches


@dataclass(frozen=True)
class Work:
    """How often an update computes with its tokens, and at which rates of a `Card`.

    By default nothing is made twice but the chunks of the head: a forward pass, two for its
    gradients, and one more product with the head.
    """

    layers: int = 3  # passes over the layers
    head: int = 4  # products with the head
    layers_rate: str = "flops"
    head_rate: str = "flops"


PLAIN = Work()


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


def prefill_seconds(policy: Architecture, card: Card, job: Job) -> float:
    """Return the time in which the engine reads the prompts, once for each completion."""
    return job.completions * job.prompt * policy.forward_flops(job.prompt / 2) / card.flops


def step_seconds(
    policy: Architecture, card: Card, job: Job, work: Work = PLAIN
) -> dict[str, float]:
    """Return the roofline of each phase of a step.

    The old policy's log-probabilities take one pass over the layers, and one product of every
    completion with the head. Every completion is counted with its prompt, though neighbours in a
    micro-batch may read theirs once.
    """
    length = job.prompt + job.completion
    tokens, completed = job.completions * length, job.completions * job.completion
    layers = tokens * policy.layers_flops(length / 2) / getattr(card, work.layers_rate)
    head = completed * 2 * policy.head_weights / getattr(card, work.head_rate)
    return {
        "prefill": prefill_seconds(policy, card, job),
        "decode": decode_seconds(policy, card, job),
        "old log-probabilities": layers + head,
        "update": work.layers * layers + work.head * head,
    }


def predicted_seconds(phases: dict[str, float]) -> float:
    """Return a step at these shares of the roofline, from its phases."""
    decode = phases["decode"] / ASSUMED_BANDWIDTH
    return decode + sum(s for name, s in phases.items() if name != "decode") / MEASURED_COMPUTE
