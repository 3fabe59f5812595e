"""Run the benchmarks and store a table: `python -m benchmarks [names] [--quick]`.

Writes benchmarks/results/<date>_<time>.json and .md. Exit status 0 also where something became
slower: a benchmark informs, it is no test.
"""

import argparse
import json
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness import RESULTS, calibration, environment, measured
from benchmarks.history import THRESHOLD, changes, previous

# In the order in which they run; the verifier takes a quarter of an hour in full.
NAMES = (
    "chunked",
    "objectives",
    "rl_step",
    "two_jobs",
    "growth",
    "study",
    "verifier",
    "dag",
    "evidence",
)
LONG = ("verifier",)
APART = ("vllm_sampling", "rehearsal", "gpu")  # their own environment, no speed, a card


def run(names: list[str], quick: bool) -> dict[str, Any]:
    """Return the result of some benchmarks, as it is stored."""
    result: dict[str, Any] = {
        "date": datetime.now().isoformat(timespec="seconds"),
        "quick": quick,
        "environment": environment(),
        "fixed_work": calibration().summary(),
        "benchmarks": {},
    }
    for name in names:
        print(f"== {name}", flush=True)
        start = time.perf_counter()
        # In a process of its own: measuring memory changes how the process allocates from then on.
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
            result["benchmarks"][name] = process.submit(measured, name, quick).result()
        result["benchmarks"][name]["seconds"] = round(time.perf_counter() - start, 1)
    return result


def markdown(result: dict[str, Any], folder: Path) -> str:
    """Return the table of a result, with its changes against the last stored ones."""
    where = result["environment"]
    packages = {name: text for name, text in where["versions"].items() if text}
    versions = ", ".join(f"{name} {text}" for name, text in packages.items())
    device = f"{where['processor']}, {where['logical_cores']} logical cores"
    device += f", {where['memory_gib']} GiB, {where['accelerator'] or 'no accelerator'}"
    lines = [
        f"# Benchmarks, {result['date']}" + (" (quick)" if result["quick"] else ""),
        "",
        f"{device}; {where['threads']} thread(s); load average at the start "
        f"{where['load_average']:.1f}. {versions}. Commit {where['commit']}, "
        f"{where['changed_files']} changed files.",
        "",
        "Medians, with quartiles in brackets. Change: against the last stored result of this "
        "machine and size, brought to the same speed of the machine; positive is worse; over "
        f"{100 * THRESHOLD:.0f} % is flagged.",
    ]
    for name, report in result["benchmarks"].items():
        old = previous(folder, name, result)
        found = {c.name: c for c in changes(result, old, name)} if old else {}
        lines += ["", f"## {report['title']}", "", f"`{name}`, {report['seconds']} s.", ""]
        lines += ["| measurement | median | quartiles | unit | n | change |"]
        lines += ["|---|---:|---:|---|---:|---:|"]
        for label, row in report["measurements"].items():
            change = found.get(label)
            text = f"{100 * change.worse:+.1f} %" if change else ""
            text += " **worse**" if change and change.flagged else ""
            lines.append(
                f"| {label} | {row['median']:.4g} | [{row['low']:.4g}, {row['high']:.4g}] | "
                f"{row['unit']} | {row['repetitions']} | {text} |"
            )
        if report["text"]:
            lines += ["", report["text"].strip()]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Read the command line, measure, store, and name what became worse."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        help=f"of {', '.join(NAMES + APART)}; default: all but the long and "
        "those with an environment of their own",
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, to try it out")
    parser.add_argument("--all", action="store_true", help=f"also {', '.join(LONG)}")
    parser.add_argument("--output", type=Path, default=RESULTS, help="folder of stored results")
    options = parser.parse_args()
    if unknown := set(options.names) - set(NAMES + APART):
        known = ", ".join(NAMES + APART)
        parser.error(f"unknown: {', '.join(sorted(unknown))}; there are {known}")
    torch.set_num_threads(1)  # as the benchmarks do
    short = [name for name in NAMES if options.all or name not in LONG]
    result = run(options.names or short, options.quick)
    table = markdown(result, options.output)
    stem = datetime.fromisoformat(result["date"]).strftime("%Y-%m-%d_%H%M%S")
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / f"{stem}.md").write_text(table)
    (options.output / f"{stem}.json").write_text(json.dumps(result, indent=1) + "\n")
    print(table)
    print(f"Stored as {options.output / stem}.json and .md")


if __name__ == "__main__":
    main()
