"""Memory and time of chunked log-probabilities against the naive ones.

    python -m benchmarks chunked

Peak memory is resident memory above what the process held before the inputs were made, so weight,
hidden states and gradients count on both sides. The naive side needs about 60 GiB at 8 x 4,096
tokens, so it is measured at fewer and a straight line is drawn.
"""

import time

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import (
    Measurement,
    Report,
    interleaved,
    peak_growth,
    ratios,
)
from maspo.policy import chunked_log_probs, naive_log_probs

VOCABULARY = 151_936  # Qwen2.5
TOKENS = 8 * 4096
CHUNK = 4096  # configs/train/gpu.yaml
TIMED_WIDTHS = {64: 1024, 1536: 256}  # hidden size: tokens; 1,536 is the 1.5B policy's


def inputs(tokens: int, width: int, vocabulary: int = VOCABULARY) -> tuple[Tensor, Tensor, Tensor]:
    """Return hidden states, head weight and tokens."""
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(tokens, width, generator=generator).requires_grad_()
    weight = torch.randn(vocabulary, width, generator=generator).mul_(width**-0.5)
    chosen = torch.randint(vocabulary, (tokens,), generator=generator)
    return hidden, weight.requires_grad_(), chosen


def naive(hidden: Tensor, weight: Tensor, tokens: Tensor, entropy: bool) -> tuple[Tensor, ...]:
    """All logits at once."""
    return naive_log_probs(hidden @ weight.T, tokens, 1.0, entropy)


def chunked(hidden: Tensor, weight: Tensor, tokens: Tensor, entropy: bool) -> tuple[Tensor, ...]:
    """The same in chunks."""
    return chunked_log_probs(hidden, weight, tokens, CHUNK, 1.0, entropy)


SIDES = {"naive": naive, "chunked": chunked}


def update_pass(side: str, data: tuple[Tensor, Tensor, Tensor]) -> None:
    """Forward and backward, as in an update."""
    log_prob, _ = SIDES[side](*data, entropy=False)
    torch.autograd.grad(log_prob.sum(), data[:2])


@torch.no_grad()
def old_pass(side: str, data: tuple[Tensor, Tensor, Tensor]) -> None:
    """Forward with entropy, as for the old policy."""
    SIDES[side](*data, entropy=True)


def memory(quick: bool) -> tuple[list[Measurement], dict]:
    """Peak of both sides over tokens, and of the naive one extrapolated to `TOKENS`."""
    counts = (128, 256, 512) if quick else (512, 1024, 2048)
    peaks = {
        side: [peak_growth(lambda s=side, n=n: update_pass(s, inputs(n, 64))) for n in counts]
        for side in SIDES
    }
    whole = peak_growth(lambda: update_pass("chunked", inputs(TOKENS, 64)))
    line = np.polyfit(counts, peaks["naive"], 1)
    extrapolated = float(np.polyval(line, TOKENS))
    most = counts[-1]
    found = [
        Measurement(f"peak, naive, {most} tokens", [peaks["naive"][-1]], "MiB"),
        Measurement(f"peak, chunked, {most} tokens", [peaks["chunked"][-1]], "MiB"),
        Measurement(
            f"peak, chunked / naive, {most} tokens",
            [peaks["chunked"][-1] / peaks["naive"][-1]],
            "x",
        ),
        Measurement(f"peak, naive, {TOKENS} tokens, extrapolated", [extrapolated], "MiB"),
        Measurement(f"peak, chunked, {TOKENS} tokens", [whole], "MiB"),
        Measurement(
            f"peak, chunked / naive extrapolated, {TOKENS} tokens", [whole / extrapolated], "x"
        ),
    ]
    return found, {"tokens": counts, "peak_mib": peaks, "naive_line": line.tolist()}


def times(quick: bool) -> list[Measurement]:
    """CPU seconds of both sides in turn, and the ratio of each turn."""
    found = []
    for width, tokens in TIMED_WIDTHS.items():
        data = inputs(tokens // 4 if quick else tokens, width)
        for name, work in {"update": update_pass, "old policy": old_pass}.items():
            turns = {side: lambda s=side, w=work, d=data: w(s, d) for side in SIDES}
            seconds = interleaved(turns, 3 if quick else 5, clock=time.process_time)
            label = f"{name}, hidden size {width}, {len(data[2])} tokens"
            found += [Measurement(f"{label}: {side}", seconds[side]) for side in SIDES]
            ratio = ratios(seconds["chunked"], seconds["naive"])
            found.append(Measurement(f"{label}: chunked / naive", ratio, "x"))
    return found


def measure(quick: bool) -> Report:
    """Time, then memory: that changes how this process allocates."""
    seconds = times(quick)
    peaks, details = memory(quick)
    text = (
        f"float32, vocabulary {VOCABULARY:,}, chunks of {CHUNK:,} entries. Memory: hidden size 64, "
        "forward and backward, inputs and gradients included. Extrapolated: a straight line "
        "through the naive peaks at fewer tokens. Time: CPU seconds of one thread."
    )
    return Report("Chunked log-probabilities", peaks + seconds, text, details)
