"""Cost of each objective, forward plus backward, relative to GRPO in the same run.

    python -m benchmarks objectives

The methods take turns, so that a busy machine slows all of them alike. On the GPU where there is
one, else on the processor.
"""

from functools import partial

import torch
from torch import Tensor

from benchmarks.harness import Measurement, Report, interleaved, ratios
from maspo.objectives import Objective, PolicyBatch, make, names

ROWS, COLUMNS = 64, 4096


def random_batch(rows: int, columns: int, device: str) -> PolicyBatch:
    """Return a right-padded float32 batch: lengths uniform in [T/4, T], ratios near 1."""
    generator = torch.Generator().manual_seed(0)
    shape = (rows, columns)
    old = -3 * torch.rand(shape, generator=generator)
    lengths = torch.randint(columns // 4, columns + 1, (rows, 1), generator=generator)
    tensors = {
        "log_prob": old + 0.1 * torch.randn(shape, generator=generator),
        "old_log_prob": old,
        "advantages": torch.randn((rows, 1), generator=generator).repeat(1, columns),
        "mask": torch.arange(columns) < lengths,
        "entropy": torch.rand(shape, generator=generator),
    }
    batch = PolicyBatch(**{name: tensor.to(device) for name, tensor in tensors.items()})
    batch.log_prob.requires_grad_()
    return batch


def step(objective: Objective, batch: PolicyBatch) -> Tensor:
    """Forward and backward; return the gradient."""
    return torch.autograd.grad(objective(batch).loss, batch.log_prob)[0]


def timings(batch: PolicyBatch, repetitions: int) -> dict[str, list[float]]:
    """Return the seconds of a step of each method, turn by turn."""

    def timed(objective: Objective) -> None:
        step(objective, batch)
        if batch.log_prob.is_cuda:
            torch.cuda.synchronize()

    sides = {name: partial(timed, make(name)) for name in names()}
    return interleaved(sides, repetitions, warmup=2)


def saved_bytes(objective: Objective, batch: PolicyBatch) -> int:
    """Return the bytes that the graph holds between forward and backward, inputs left out."""
    inputs = {
        tensor.untyped_storage().data_ptr()
        for tensor in vars(batch).values()
        if isinstance(tensor, Tensor)
    }
    held: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in inputs:
            held[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        loss = objective(batch).loss  # the graph keeps the storages, so no address is used twice
    del loss
    return sum(held.values())


def peak_bytes(objective: Objective, batch: PolicyBatch) -> int:
    """Return the highest number of bytes allocated at once during a step, inputs left out."""
    step(objective, batch)
    if batch.log_prob.is_cuda:
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        step(objective, batch)
        return torch.cuda.max_memory_allocated() - before
    with torch.profiler.profile(profile_memory=True) as profile:
        step(objective, batch)
    events = profile.profiler.kineto_results.events()
    memory = sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns())
    now = peak = 0
    for event in memory:
        now += event.nbytes()
        peak = max(peak, now)
    return peak


def measure(quick: bool) -> Report:
    """Time relative to GRPO, and bytes a token."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rows = ROWS // 8 if quick else ROWS
    batch = random_batch(rows, COLUMNS, device)
    seconds = timings(batch, 10 if quick else 20)
    found = [Measurement("grpo", [1e3 * value for value in seconds["grpo"]], "ms")]
    for name in names():
        found.append(Measurement(f"{name} / grpo", ratios(seconds[name], seconds["grpo"]), "x"))
    lines = ["| method | saved bytes a token | peak bytes a token |", "|---|---:|---:|"]
    details = {}
    for name in names():
        objective = make(name)
        saved, peak = (f(objective, batch) / batch.mask.numel() for f in (saved_bytes, peak_bytes))
        details[name] = {"saved_bytes_per_token": saved, "peak_bytes_per_token": peak}
        lines.append(f"| {name} | {saved:.0f} | {peak:.0f} |")
    text = f"Forward and backward on ({rows}, {COLUMNS}) float32, {device}.\n\n" + "\n".join(lines)
    return Report("Objectives", found, text, details)
