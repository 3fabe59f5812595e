"""The parts of an RL step at 1.5B on one GPU, beside the card's own rates.

    python -m benchmarks gpu

Weights are random and in float32, as at scale gpu. The ceilings (bandwidth of a copy, rates of
8,192 x 8,192 matrix products on random numbers) are measured in the same run, so a share says what
of the card a part reaches, not what of a data sheet. Times are between events of the card; those
of vLLM, whose scheduler waits between its kernels, are of the clock.
"""

import time
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import torch
from torch import Tensor

from benchmarks.harness import Measurement, Report
from benchmarks.objectives import random_batch, step
from maspo.determinism import make_deterministic
from maspo.gpu_check.bench import Bench
from maspo.objectives import make
from maspo.plan.hardware import BFLOAT16
from maspo.policy import chunked_log_probs, make_checkpoints, token_log_probs
from maspo.sampling import SamplingSettings
from maspo.sampling.decoder import TransformersDecoder
from maspo.sampling.make import make_sampler

SIZE = 8192  # of the matrices of the ceilings
TOKENS = 16_384  # of a micro-batch at scale gpu
PROMPT, COMPLETIONS = 64, 4  # four completions of 4,080 tokens are such a micro-batch
ROWS = 64  # decoded together, as sampler=transformers_1_5b
ENGINE_ROWS, GROUP = 512, 8  # decoded together by vLLM, and completions that share a prompt


def seconds(work: Callable[[], object], repetitions: int) -> list[float]:
    """Return the seconds of each repetition on the card, after two to warm up."""
    times = []
    for turn in range(-2, repetitions):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        start.record()
        work()
        end.record()
        end.synchronize()
        if turn >= 0:
            times.append(start.elapsed_time(end) / 1000)
    return times


def rates(name: str, amount: float, times: list[float], unit: str) -> Measurement:
    """Return an amount (bytes or operations) over each time, in units of 10^12 a second."""
    return Measurement(name, [amount / t / 1e12 for t in times], unit, lower_is_better=False)


def ceilings(repetitions: int) -> list[Measurement]:
    """Measure a copy, counting bytes read and written, and matrix products."""
    source = torch.randn(2**29, device="cuda")
    target = torch.empty_like(source)
    found = [
        rates(
            "copy", 2 * source.nbytes, seconds(partial(target.copy_, source), repetitions), "TB/s"
        )
    ]
    del source, target
    for name, dtype, precision in (
        ("bfloat16", torch.bfloat16, "highest"),
        ("TF32", torch.float32, "high"),
        ("float32", torch.float32, "highest"),
    ):
        torch.set_float32_matmul_precision(precision)
        a, b = (torch.randn(SIZE, SIZE, device="cuda", dtype=dtype) for _ in range(2))
        times = seconds(lambda a=a, b=b: a @ b, repetitions)
        found.append(rates(f"matrix product, {name}", 2 * SIZE**3, times, "TFLOP/s"))
    return found


def head(bench: Bench, repetitions: int) -> list[Measurement]:
    """Measure chunked log-probabilities, and one tile's product with other inputs."""
    shape, chunk = bench.architecture, bench.experiment.train.logits_chunk
    hidden = torch.randn(TOKENS, shape.hidden, device="cuda", requires_grad=True)
    weight = torch.randn(shape.vocabulary, shape.hidden, device="cuda", requires_grad=True)
    tokens = torch.randint(shape.vocabulary, (TOKENS,))
    product = 2 * TOKENS * shape.head_weights

    def forward() -> Tensor:
        return chunked_log_probs(hidden, weight, tokens, chunk, 1.0, True)[0]

    def both() -> None:
        torch.autograd.grad(forward().sum(), (hidden, weight))

    with torch.no_grad():
        scored = seconds(forward, repetitions)
    found = [
        rates("head in chunks, with entropy", product, scored, "TFLOP/s"),
        rates("the same and its gradients", 4 * product, seconds(both, repetitions), "TFLOP/s"),
    ]
    for name, dtype in (("TF32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = hidden.detach().to(dtype), weight[:chunk].detach().to(dtype)
        times = seconds(lambda a=a, b=b: a @ b.T, repetitions)
        amount = product * chunk / shape.vocabulary
        found.append(rates(f"product of one chunk, {name}", amount, times, "TFLOP/s"))
    return found


def update(bench: Bench, repetitions: int) -> list[Measurement]:
    """Measure scoring and learning from one micro-batch, with checkpoints, in bfloat16."""
    shape, train = bench.architecture, bench.experiment.train
    policy = bench.policy()
    length = (TOKENS - PROMPT) // COMPLETIONS
    batch = bench.batch(PROMPT, [length] * COMPLETIONS)
    score = partial(
        token_log_probs, policy, batch, chunk=train.logits_chunk, precision=train.precision
    )
    layers = TOKENS * shape.layers_flops(length / 2)
    product = 2 * COMPLETIONS * length * shape.head_weights

    def learn() -> None:
        policy.zero_grad()
        score()[0].sum().backward()

    with torch.no_grad():
        scored = seconds(score, repetitions)
    policy.train()
    make_checkpoints(policy)
    learned = seconds(learn, repetitions)
    return [
        Measurement("score one micro-batch", [1000 * t for t in scored], "ms"),
        Measurement("learn from one micro-batch", [1000 * t for t in learned], "ms"),
        rates("score", layers + product, scored, "TFLOP/s"),
        rates("learn, checkpoints made again", 4 * layers + 4 * product, learned, "TFLOP/s"),
    ]


def decode(bench: Bench, repetitions: int) -> list[Measurement]:
    """Measure a decoding step of the transformers sampler, which reads all weights once."""
    policy = bench.policy()
    decoder = TransformersDecoder(policy)
    ids = torch.randint(2, 1000, (1, PROMPT), device="cuda")
    owner = torch.zeros(ROWS, dtype=torch.long, device="cuda")
    tokens = torch.randint(2, 1000, (ROWS,), device="cuda")
    with torch.inference_mode():
        decoder.read(ids, torch.ones_like(ids), owner, repetitions + 2)
        times = seconds(lambda: decoder.step(tokens), repetitions)
    read = sum(weight.nbytes for weight in policy.parameters()) - policy.lm_head.weight.nbytes
    return [
        Measurement(f"decoding step, {ROWS} rows", [1000 * t for t in times], "ms"),
        rates("weights read by a decoding step", read, times, "TB/s"),
    ]


def engine(bench: Bench, repetitions: int, tokens: int = 512) -> list[Measurement]:
    """Measure decoding by vLLM, with the wake, the new weights and the prompts taken off.

    The bytes are the least that decoding has to read: the weights at each step, and each row's
    keys and values.
    """
    if find_spec("vllm") is None:
        return []
    shape, policy = bench.architecture, bench.policy()
    prompts = [[2 + i // GROUP] * PROMPT for i in range(ENGINE_ROWS)]
    starts, whole, steps, read = [], [], [], []
    with make_sampler(bench.experiment, policy, bench.tokenizer) as sampler:

        def sample(most: int) -> tuple[float, list[int]]:
            start = time.perf_counter()
            drawn = sampler.sample(prompts, range(ENGINE_ROWS), SamplingSettings(most))
            return time.perf_counter() - start, [len(completion.tokens) for completion in drawn]

        sample(tokens)
        for _ in range(repetitions):
            first, _ = sample(1)
            all_of_it, lengths = sample(tokens)
            weights = (max(lengths) - 1) * (shape.layer_weights + shape.head_weights) * BFLOAT16
            cached = sum(n * (PROMPT + n / 2) for n in lengths) * shape.cache_bytes
            starts.append(1000 * first)
            whole.append(sum(lengths) / all_of_it)
            steps.append(1000 * (all_of_it - first) / (max(lengths) - 1))
            read.append((weights + cached) / (all_of_it - first) / 1e12)
    rows = f"vLLM, {ENGINE_ROWS} rows of {tokens}"
    return [
        Measurement(f"{rows}: wake, weights, prompts, first token", starts, "ms"),
        Measurement(f"{rows}: all of it", whole, "/s", lower_is_better=False),
        Measurement(f"{rows}: a decoding step", steps, "ms"),
        Measurement(f"{rows}: least bytes read", read, "TB/s", lower_is_better=False),
    ]


def objectives(repetitions: int) -> list[Measurement]:
    """Measure objectives on 64 x 4,096 tokens; five float32 tensors and a mask are their least."""
    batch = random_batch(64, 4096, "cuda")
    least = 5 * batch.log_prob.nbytes + batch.mask.nbytes
    found = []
    for name in ("grpo", "clip_higher", "sapo", "maspo"):
        times = seconds(partial(step, make(name), batch), repetitions)
        found.append(Measurement(f"objective {name}", [1000 * t for t in times], "ms"))
        found.append(rates(f"objective {name}: least bytes", least, times, "TB/s"))
    return found


def measure(quick: bool) -> Report:
    """Run the benchmark."""
    if not torch.cuda.is_available():
        raise SystemExit("the benchmark gpu needs an NVIDIA GPU and a CUDA build of torch")
    few = 3 if quick else 10
    found = ceilings(few)
    bench = Bench("cuda")
    make_deterministic(bench.experiment.threads, tf32=True)
    for part in (head, update, decode, engine):
        found += part(bench, few)
        bench.free()
    found += objectives(5 * few)
    return Report("The parts of a step at 1.5B on one GPU", found)
