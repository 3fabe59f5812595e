"""Stored results: finding the last comparable one, and flagging what became worse."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

THRESHOLD = 0.10


@dataclass(frozen=True)
class Change:
    """One measurement against the last stored one: `worse` is a share, negative if better."""

    name: str
    before: float
    now: float
    worse: float

    @property
    def flagged(self) -> bool:
        """Whether it is worse by more than the threshold."""
        return self.worse > THRESHOLD


def previous(folder: Path, benchmark: str, result: dict[str, Any]) -> dict[str, Any] | None:
    """Return the last stored result with this benchmark, of the same machine and size."""
    for path in sorted(folder.glob("*.json"), reverse=True):
        stored = json.loads(path.read_text())
        same = all(
            stored["environment"][name] == result["environment"][name]
            for name in ("processor", "logical_cores", "accelerator", "threads")
        )
        if same and stored["quick"] == result["quick"] and benchmark in stored["benchmarks"]:
            return stored
    return None


def changes(new: dict[str, Any], old: dict[str, Any], benchmark: str) -> list[Change]:
    """Compare the medians that both results have.

    Times and rates are first brought to the old result's speed of the machine, as the fixed work
    of both runs shows it; ratios and bytes are compared as they are.
    """
    slowdown = _fixed_work(new) / _fixed_work(old)
    before = old["benchmarks"][benchmark]["measurements"]
    found = []
    for name, now in new["benchmarks"][benchmark]["measurements"].items():
        if name not in before or before[name]["unit"] != now["unit"] or not before[name]["median"]:
            continue
        scale = {"s": 1 / slowdown, "ms": 1 / slowdown, "/s": slowdown}.get(now["unit"], 1.0)
        growth = now["median"] * scale / before[name]["median"] - 1
        # Twice as fast is as much better as half as fast is worse: 1/x - 1 for rates.
        worse = growth if now["lower_is_better"] else 1 / (1 + growth) - 1
        found.append(Change(name, before[name]["median"], now["median"], worse))
    return found


def _fixed_work(result: dict[str, Any]) -> float:
    return result["fixed_work"]["median"]
