"""Sampling by vLLM's engine beside the transformers sampler, in turn in one process.

    make bench-vllm        # or, where vLLM is installed: python -m benchmarks vllm_sampling

Both draw from the same policy for the same prompts, 8 prompts of 32 completions as an evaluation
does, on one thread. Their generators differ, so tokens a second are compared and not seconds; where
others share the machine, read the rates a CPU second. Each call of the vLLM sampler includes the
copy of the weights, as in a run.

- mini: the mini study's base policy with heads of 32; its prompts are shorter than the 128 tokens
  that vLLM caches together on a CPU, so nothing is shared.
- long prompts: an untrained policy of 3.3 M parameters, prompts of 257 tokens, completions of 64.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from benchmarks.harness import ROOT, Measurement, Report, interleaved, ratios
from benchmarks.mini import base_policy, make_results, mini_problems
from maspo.config import load_experiment
from maspo.policy import build_policy, build_tokenizer, encode_prompts, load_policy
from maspo.sampling import SamplingSettings
from maspo.sampling.transformers import TransformersSampler
from maspo.sampling.vllm import VllmSampler
from maspo.seeding import numpy_generator

OWN = ROOT / "results" / "benchmarks_heads_32"
OVERRIDES = ("scale=mini", "model=mini_heads_32")
PROMPTS, SAMPLES = 8, 32
WARMUP = 3  # turns, in which the engine compiles
LONG = {
    "hidden_size": 256,
    "num_hidden_layers": 4,
    "num_attention_heads": 8,
    "num_key_value_heads": 2,
    "intermediate_size": 768,
    "max_position_embeddings": 384,
}
OTHER_CHARACTERS = "".join(map(chr, range(0x4E00, 0x4E00 + 1000)))  # so that the end is rare


@dataclass(frozen=True)
class Work:
    """What both samplers do: `SAMPLES` completions of each of `PROMPTS` prompts."""

    policy: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    prompts: Sequence[Sequence[int]]
    settings: SamplingSettings


def mini_work() -> Work:
    """Return the work of the mini study, with its policy trained if there is none."""
    results = make_results(OWN, *OVERRIDES)
    experiment = load_experiment([*OVERRIDES, f"results={results}"])
    policy, tokenizer = load_policy(base_policy(results))
    problems = mini_problems(experiment)[:PROMPTS]
    prompts = encode_prompts(tokenizer, problems, experiment.task.max_prompt_tokens)
    return Work(policy, tokenizer, prompts, SamplingSettings(experiment.task.max_completion_tokens))


def long_work() -> Work:
    """Return the work on prompts of more than two of vLLM's blocks."""
    task = load_experiment(OVERRIDES).task
    tokenizer = build_tokenizer(task.characters + OTHER_CHARACTERS)
    draw = numpy_generator(0, "benchmark prompts")
    prompts = draw.integers(3, len(tokenizer), size=(PROMPTS, 257)).tolist()
    return Work(build_policy(LONG, tokenizer, seed=1), tokenizer, prompts, SamplingSettings(64))


def compare(name: str, work: Work, turns: int, updates: int) -> list[Measurement]:
    """Start an engine, let the two samplers take turns, and copy the weights many times."""
    experiment = load_experiment([*OVERRIDES, "sampler=vllm"])
    context = max(map(len, work.prompts)) + work.settings.max_tokens
    prompts = [prompt for prompt in work.prompts for _ in range(SAMPLES)]
    seeds = list(range(len(prompts)))
    ours = TransformersSampler(work.policy, work.tokenizer, batch_size=len(prompts))
    start, cpu = time.perf_counter(), time.process_time()
    with VllmSampler(work.policy, work.tokenizer, experiment.sampler, context) as engine:
        started, cpu = time.perf_counter() - start, time.process_time() - cpu
        sides = {"vLLM": engine, "transformers": ours}
        tokens: dict[str, int] = {}
        wall: dict[str, list[float]] = {side: [] for side in sides}

        def sample(side: str) -> None:  # the same seeds each turn: the same number of tokens
            start = time.perf_counter()
            drawn = sides[side].sample(prompts, seeds, work.settings)
            wall[side].append(time.perf_counter() - start)
            tokens[side] = sum(len(completion.tokens) for completion in drawn)

        calls = {side: partial(sample, side) for side in sides}
        busy = interleaved(calls, turns, WARMUP, clock=time.process_time)
        copies = interleaved({"update": engine.update_weights}, updates, WARMUP)["update"]
        shared = engine.cached_tokens / sum(map(len, prompts))
    found = []
    for unit, seconds in {"a second": wall, "a CPU second": busy}.items():
        speeds = {s: [tokens[s] / t for t in seconds[s][-turns:]] for s in sides}
        ratio = ratios(speeds["vLLM"], speeds["transformers"])
        found += [Measurement(f"tokens {unit}, {s}, {name}", speeds[s], "/s", False) for s in sides]
        found.append(Measurement(f"tokens {unit}, vLLM / transformers, {name}", ratio, "x", False))
    return [
        *found,
        *(Measurement(f"tokens of a turn, {s}, {name}", [tokens[s]], "") for s in sides),
        Measurement(f"share of prompt tokens from the prefix cache, {name}", [shared], ""),
        Measurement(f"weight update, {name}", [1000 * s for s in copies], "ms"),
        Measurement(f"start of the engine, {name}", [started]),
        Measurement(f"start of the engine, CPU seconds, {name}", [cpu]),
    ]


def measure(quick: bool) -> Report:
    """Ten turns and 200 weight updates, or three and 20."""
    start = time.perf_counter()
    import vllm  # noqa: F401

    imported = Measurement("import of vLLM", [time.perf_counter() - start])
    turns, updates = (3, 20) if quick else (10, 200)
    works = {"mini": mini_work(), "long prompts": long_work()}
    found = [m for name, work in works.items() for m in compare(name, work, turns, updates)]
    sizes = ", ".join(
        f"{name} {sum(p.numel() for p in work.policy.parameters()):,} parameters"
        for name, work in works.items()
    )
    return Report("Sampling by vLLM beside transformers", [imported, *found], f"Policies: {sizes}.")
