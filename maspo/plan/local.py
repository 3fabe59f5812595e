"""Memory and time of a run of this package's own engine on one GPU."""

import math

from maspo.config import Experiment
from maspo.plan.hardware import BFLOAT16, FLOAT32, Architecture, Card
from maspo.plan.roofline import PLAIN, Job, Work, step_seconds

PROMPT, COMPLETION = 256, 4096  # mean tokens. Assumed: the paper publishes no lengths
MULTIPROCESSORS = 132  # of H100 and H200 SXM (NVIDIA's data sheets)
ASLEEP = 2e9  # bytes an engine of vLLM keeps while it sleeps (CUDA graphs, buffers). Assumed


def logits_bytes(policy: Architecture, tokens: int, chunk: int | None, copies: float = 3) -> float:
    """Return the float32 tiles alive at once, for so many tokens in one pass.

    `copies` is what `benchmarks/chunked.py` measured: three for the naive version; the chunked one
    holds two tiles of the chunk's width with the entropy, and one without.
    """
    return FLOAT32 * tokens * (2 * chunk if chunk else copies * policy.vocabulary)


def training_bytes(policy: Architecture) -> dict[str, float]:
    """Return what training holds, all float32: 16 bytes a parameter."""
    return {
        "weights, float32": FLOAT32 * policy.parameters,
        "gradients, float32": FLOAT32 * policy.parameters,
        "Adam's moments, float32": 2 * FLOAT32 * policy.parameters,
    }


def longest(experiment: Experiment) -> int:
    """Return the tokens of the longest prompt and completion together."""
    return experiment.task.max_prompt_tokens + experiment.task.max_completion_tokens


def pass_tokens(experiment: Experiment) -> int:
    """Return the padded tokens of the largest pass of an update."""
    train = experiment.train
    rows = train.prompts_per_batch * train.group_size // train.updates_per_batch
    whole = rows * longest(experiment)
    if train.micro_batch_tokens is None:
        return whole
    return min(whole, max(train.micro_batch_tokens, longest(experiment)))


def update_bytes(policy: Architecture, experiment: Experiment) -> dict[str, dict[str, float]]:
    """Return the memory of an update at the two moments that need most, by part.

    They are the end of a forward pass, and in the backward pass a layer near its start. Every
    completion is as long as it may be, and gradients of earlier micro-batches are there.
    """
    train, tokens = experiment.train, pass_tokens(experiment)
    held = {
        **training_bytes(policy),
        "old policy's scores of the batch": _score_bytes(experiment),
        "sampling engine, asleep": _engine_left(experiment),
        "last states and their gradients": 2 * FLOAT32 * tokens * policy.hidden,
    }
    # Twice: the gradients of what a layer kept are as large, at most.
    layer = 2 * tokens * policy.layer_activations(train.precision)
    half = BFLOAT16 * policy.layer_weights if train.precision == "bfloat16" else 0
    copies = {"bfloat16 copies of the layers' matrices": half}
    if train.gradient_checkpointing:
        kept = {"one state a layer, float32": FLOAT32 * policy.layers * tokens * policy.hidden}
        again: dict[str, float] = {}  # a layer's copies are made again with the layer
    else:
        one = tokens * policy.layer_activations(train.precision)
        kept = {"activations of the other layers": (policy.layers - 1) * one}
        again = copies  # the graph holds them
    logits = {"logits": logits_bytes(policy, tokens, train.logits_chunk)}
    head = {**logits, "gradient of the head, before it is added": FLOAT32 * policy.head_weights}
    attention = _attention_bytes(policy, experiment, tokens)
    body = {"one layer's activations": layer, "attention's sums, backward": attention}
    return {
        "forward pass": {**held, **copies, **kept, **logits},
        "backward pass": {**held, **again, **kept, **max(head, body, key=_total)},
    }


def _total(parts: dict[str, float]) -> float:
    return sum(parts.values())


def _attention_bytes(policy: Architecture, experiment: Experiment, tokens: int) -> float:
    """Return what flash attention allocates in its deterministic backward pass.

    The gradient of the queries in float32, once for each share of the keys that multiprocessors
    work on side by side, and those of keys and values for each head of the queries (torch,
    `flash_attn/flash_api.cpp`). Rows count at their longest, when shares are most.
    """
    if experiment.model.device != "cuda" or experiment.train.precision != "bfloat16":
        return 0
    blocks = max(1, tokens // longest(experiment)) * policy.heads
    shares = math.ceil(MULTIPROCESSORS / blocks)
    repeated = 2 * BFLOAT16 if policy.kv_heads != policy.heads else 0
    return tokens * policy.heads * policy.head_width * (shares * FLOAT32 + repeated)


def _score_bytes(experiment: Experiment) -> float:
    """Return log-probabilities, entropies, gaps and weights of every token, and their mask."""
    train = experiment.train
    rows = train.prompts_per_batch * train.group_size
    return rows * experiment.task.max_completion_tokens * (4 * FLOAT32 + 1)


def _engine_left(experiment: Experiment) -> float:
    sampler = experiment.sampler
    return ASLEEP if sampler.own_engine and sampler.sleep else 0


def sampling_bytes(policy: Architecture, experiment: Experiment, memory: float) -> dict[str, float]:
    """Return the memory of sampling on a card of `memory` bytes: weights and moments stay."""
    held = training_bytes(policy)
    held.pop("gradients, float32")  # freed after each update
    sampler = experiment.sampler
    if sampler.own_engine:
        size = FLOAT32 if sampler.dtype == "float32" else BFLOAT16
        weights, engine = size * policy.parameters, sampler.memory_share * memory
        return {
            **held,
            f"vLLM: weights, {sampler.dtype}": weights,
            "vLLM: keys and values, activations": max(0, engine - weights),
        }
    cache = 2 * policy.cache_bytes * sampler.batch_size * longest(experiment)
    return {**held, "keys and values, float32": cache}


def memory_phases(
    policy: Architecture, experiment: Experiment, memory: float
) -> dict[str, dict[str, float]]:
    """Return bytes by phase and part, on a card of `memory` bytes."""
    sampling = sampling_bytes(policy, experiment, memory)
    awake = experiment.sampler.own_engine and not experiment.sampler.sleep
    engine = {name: n for name, n in sampling.items() if awake and name.startswith("vLLM")}
    update = update_bytes(policy, experiment)
    return {"sampling": sampling, **{name: parts | engine for name, parts in update.items()}}


def job_of(experiment: Experiment) -> Job:
    """Return one rollout batch of the run; its mean lengths are assumed."""
    train, task, sampler = experiment.train, experiment.task, experiment.sampler
    rows = train.prompts_per_batch * train.group_size
    prompt = min(PROMPT, task.max_prompt_tokens)
    completion = min(COMPLETION, task.max_completion_tokens)
    if sampler.own_engine:
        return Job(rows, prompt, completion, sampler.max_num_seqs, sampler.memory_share)
    return Job(rows, prompt, completion, sampler.batch_size)


def work_of(experiment: Experiment) -> Work:
    """Return what an update makes again: checkpointing and micro-batches, a pass each.

    A micro-batch makes the products with the head once more as well. With bfloat16 the head is
    multiplied in TF32.
    """
    train = experiment.train
    split = train.micro_batch_tokens is not None
    rates = ("flops", "tf32") if train.precision == "bfloat16" else ("float32", "float32")
    return Work(PLAIN.layers + train.gradient_checkpointing + split, PLAIN.head + split, *rates)


def phase_seconds(policy: Architecture, card: Card, experiment: Experiment) -> dict[str, float]:
    """Return the roofline of each phase of a step of the run."""
    return step_seconds(policy, card, job_of(experiment), work_of(experiment))
