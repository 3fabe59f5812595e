"""Roofline arithmetic of an RL step: `python -m benchmarks.roofline` prints docs/performance.md's.

Nothing is measured here. A step cannot be faster than its arithmetic at the card's matrix rate and
its reads at the card's bandwidth. Cards: NVIDIA's data sheets of H100 SXM and H200 SXM (bfloat16
matrix rate without sparsity). Architectures: config.json of the published policies.
"""

from dataclasses import dataclass

BYTES = 2  # of a bfloat16 number


@dataclass(frozen=True)
class Architecture:
    """What of a Qwen2 policy costs time and memory."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    head_width: int = 128
    tied: bool = False

    @property
    def layer_weights(self) -> int:
        """Matrix entries of all layers."""
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        attention = 2 * self.hidden * queries + 2 * self.hidden * keys
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    @property
    def head_weights(self) -> int:
        """Matrix entries of the language model head."""
        return self.hidden * self.vocabulary

    @property
    def parameters(self) -> int:
        """Everything: matrices, biases of queries, keys and values, norms, embedding."""
        biases = (self.heads + 2 * self.kv_heads) * self.head_width
        small = self.layers * (biases + 2 * self.hidden) + self.hidden
        return self.layer_weights + self.head_weights * (1 if self.tied else 2) + small

    @property
    def cache_bytes(self) -> int:
        """Key-value cache of one token."""
        return 2 * self.layers * self.kv_heads * self.head_width * BYTES

    def forward_flops(self, context: float) -> float:
        """Of one token that sees `context` tokens: 2 a matrix entry, and attention."""
        attention = 4 * self.layers * self.heads * self.head_width * context
        return 2 * (self.layer_weights + self.head_weights) + attention


@dataclass(frozen=True)
class Card:
    """An accelerator."""

    flops: float  # a second, dense bfloat16
    bandwidth: float  # bytes a second
    memory: float  # bytes


@dataclass(frozen=True)
class Job:
    """One rollout batch and its updates."""

    completions: int
    prompt: int  # tokens, mean
    completion: int  # tokens, mean


POLICIES = {
    "1.5B": Architecture(1536, 28, 12, 2, 8960, 151_936),
    "7B": Architecture(3584, 28, 28, 4, 18_944, 152_064),
    "14B": Architecture(5120, 48, 40, 8, 13_824, 152_064),
}
CARDS = {
    "H100": Card(989.4e12, 3.35e12, 80e9),
    "H200": Card(989.4e12, 4.8e12, 141e9),
}
# 128 prompts of 8 (configs/train/gpu.yaml); the mean lengths are assumed.
GPU_JOB = Job(completions=1024, prompt=256, completion=4096)
CHUNKED_EXTRA = 1  # the head is multiplied once more in the backward pass
# Shares of the roofline that well-tuned software is taken to reach. Assumed, not measured.
ASSUMED_COMPUTE, ASSUMED_BANDWIDTH = 0.4, 0.6


def concurrent(policy: Architecture, card: Card, job: Job) -> int:
    """Return how many completions fit beside the weights, at their mean length; 0 if none."""
    free = 0.9 * card.memory - policy.parameters * BYTES
    each = policy.cache_bytes * (job.prompt + job.completion)
    return max(0, min(job.completions, int(free / each)))


def decode_seconds(policy: Architecture, card: Card, job: Job) -> float:
    """Return the time of decoding with finished rows replaced at once (vLLM), at the roofline.

    Each decoded token reads its own keys and values, and a share of the weights: they are read
    once for all completions that are decoded together.
    """
    rows = concurrent(policy, card, job)
    if not rows:
        return float("inf")
    context = job.prompt + job.completion / 2
    weights = (policy.layer_weights + policy.head_weights) * BYTES
    read = weights / rows + policy.cache_bytes * context
    arithmetic = policy.forward_flops(context)
    tokens = job.completions * job.completion
    return tokens * max(read / card.bandwidth, arithmetic / card.flops)


def pass_seconds(policy: Architecture, card: Card, job: Job, forwards: float) -> float:
    """Return the time of so many forward passes' arithmetic over whole sequences."""
    length = job.prompt + job.completion
    return forwards * job.completions * length * policy.forward_flops(length / 2) / card.flops


def step_seconds(policy: Architecture, card: Card, job: Job) -> dict[str, float]:
    """Return the roofline of each phase: 2N a token forward, 6N a token and update."""
    head = job.completions * job.completion * 2 * policy.head_weights / card.flops
    prompts = Job(job.completions, job.prompt, 0)
    return {
        "prefill": pass_seconds(policy, card, prompts, 1),
        "decode": decode_seconds(policy, card, job),
        "old log-probabilities": pass_seconds(policy, card, job, 1),
        "update": pass_seconds(policy, card, job, 3) + CHUNKED_EXTRA * head,
    }


def predicted_seconds(policy: Architecture, card: Card, job: Job) -> float:
    """Return the step at the assumed shares of the roofline."""
    phases = step_seconds(policy, card, job)
    decode = phases.pop("decode")
    return decode / ASSUMED_BANDWIDTH + sum(phases.values()) / ASSUMED_COMPUTE


def training_bytes(policy: Architecture) -> float:
    """Return weights, gradients and Adam's two moments, all float32."""
    return 16.0 * policy.parameters


def logits_bytes(policy: Architecture, tokens: int, chunk: int | None, copies: float = 3) -> float:
    """Return the float32 tiles alive at once, for so many tokens in one pass.

    `copies` is what `benchmarks/chunked.py` measured: three for the naive version; the chunked one
    holds two tiles of the chunk's width with the entropy, and one without.
    """
    return 4 * tokens * (2 * chunk if chunk else copies * policy.vocabulary)


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
            cells = [*phases.values(), sum(phases.values()), predicted_seconds(policy, card, job)]
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
            policy.parameters * BYTES,
            training_bytes(policy),
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
