"""Cost of each objective, forward plus backward, relative to GRPO in the same run.

    python benchmarks/objectives.py --output results/benchmarks

Writes objectives.md and objectives.json. Rounds are interleaved over the methods, so that a busy
machine slows all of them alike; the table shows medians.
"""

import argparse
import json
import platform
import random
from pathlib import Path
from statistics import median

import torch
from torch import Tensor
from torch.utils.benchmark import Timer

from maspo.objectives import Objective, PolicyBatch, make, names


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


def timings(batch: PolicyBatch, rounds: int) -> dict[str, float]:
    """Return the median seconds of a step of each method."""
    scope = {"step": step, "batch": batch}
    timers = {
        name: Timer("step(objective, batch)", globals=scope | {"objective": make(name)})
        for name in names()
    }
    seconds: dict[str, list[float]] = {name: [] for name in timers}
    order = list(timers)
    for _ in range(rounds + 1):
        random.shuffle(order)
        for name in order:
            seconds[name].append(timers[name].timeit(1).mean)
    return {name: median(values[1:]) for name, values in seconds.items()}


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


def measure(rows: int, columns: int, rounds: int, device: str) -> dict:
    """Return the settings of the run and one record a method."""
    batch = random_batch(rows, columns, device)
    seconds = timings(batch, rounds)
    tokens = rows * columns
    methods = {}
    for name in names():
        objective = make(name)
        methods[name] = {
            "milliseconds": seconds[name] * 1e3,
            "relative_to_grpo": seconds[name] / seconds["grpo"],
            "saved_bytes_per_token": saved_bytes(objective, batch) / tokens,
            "peak_bytes_per_token": peak_bytes(objective, batch) / tokens,
        }
    return {
        "shape": [rows, columns],
        "dtype": "float32",
        "rounds": rounds,
        "device": torch.cuda.get_device_name() if device == "cuda" else platform.machine(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "methods": methods,
    }


def markdown(result: dict) -> str:
    """Return the table of a result."""
    rows, columns = result["shape"]
    lines = [
        f"Forward and backward on ({rows}, {columns}) {result['dtype']}, {result['device']}, "
        f"{result['threads']} thread(s), torch {result['torch']}, "
        f"median of {result['rounds']} interleaved rounds.",
        "",
        "| method | ms | relative to grpo | saved bytes a token | peak bytes a token |",
        "|---|---|---|---|---|",
    ]
    for name, row in result["methods"].items():
        lines.append(
            f"| {name} | {row['milliseconds']:.2f} | {row['relative_to_grpo']:.2f} | "
            f"{row['saved_bytes_per_token']:.0f} | {row['peak_bytes_per_token']:.0f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line, measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=64)
    parser.add_argument("--columns", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--output", type=Path, help="folder for objectives.md and objectives.json")
    arguments = parser.parse_args()
    result = measure(arguments.rows, arguments.columns, arguments.rounds, arguments.device)
    table = markdown(result)
    print(table)
    if arguments.output:
        arguments.output.mkdir(parents=True, exist_ok=True)
        (arguments.output / "objectives.md").write_text(table)
        (arguments.output / "objectives.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
