"""Attention over rows without padding: what it costs, and which kernel does it."""

import torch
from torch.profiler import ProfilerActivity, profile

from maspo.gpu_check.bench import Bench
from maspo.gpu_check.check import Measured, check, expect
from maspo.policy import make_checkpoints, token_log_probs

LONGEST = {"cuda": (2048, 8192), "cpu": (16, 240)}  # prompt and completion


def gradient(bench: Bench, policy: torch.nn.Module, batch) -> torch.Tensor:
    """Score a batch as an update does; return the first layer's gradient."""
    train = bench.experiment.train
    policy.zero_grad()
    log_prob, _ = token_log_probs(
        policy, batch, chunk=train.logits_chunk, precision=train.precision
    )
    log_prob.sum().backward()
    return policy.model.layers[0].self_attn.q_proj.weight.grad.clone()


@check("attention, twice the same bits")
def repeats(bench: Bench) -> Measured:
    """A pass over completions that share their prompt gives the same gradient twice."""
    policy, batch = bench.policy(), bench.batch(16, [40, 3, 27, 40])
    first, second = (gradient(bench, policy, batch) for _ in range(2))
    expect(bool(first.isfinite().all()) and bool(first.any()), "no finite gradient")
    expect(torch.equal(first, second), "the same bits did not come twice")
    return {}


@check("attention by the flash kernel", cuda_only="its kernels have other names")
def flash(bench: Bench) -> Measured:
    """The profile of a pass names flash attention, forward and backward."""
    policy, batch = bench.policy(), bench.batch(64, [512] * 4)
    with profile(activities=[ProfilerActivity.CUDA]) as seen:
        gradient(bench, policy, batch)
    kernels = sorted({event.key for event in seen.key_averages()})
    found = [name for name in kernels if "flash" in name.lower()]
    expect(any("bwd" in name for name in found), f"no flash backward among {kernels}")
    expect(any("fwd" in name for name in found), f"no flash forward among {kernels}")
    return {"kernels": found}


@check("one longest row")
def longest(bench: Bench) -> Measured:
    """A row of one longest prompt and completion is scored and learned from."""
    prompt, completion = LONGEST[bench.device]
    policy = bench.policy().train()
    make_checkpoints(policy)
    found = gradient(bench, policy, bench.batch(prompt, [completion]))
    expect(bool(found.isfinite().all()), "a gradient that is no number")
    measured = {"tokens": prompt + completion}
    if bench.device == "cuda":
        measured["peak GB"] = torch.cuda.max_memory_allocated() / 1e9
    return measured
