"""Seconds of the statistics of a full mini study: what `benchmarks/bootstrap.py` prints, stored.

python -m benchmarks study
"""

import json
import subprocess
import sys

from benchmarks.harness import ROOT, Measurement, Report

PARTS = ("outcomes", "estimates", "comparisons", "variance_components", "total")


def measure(quick: bool) -> Report:
    """Run it in a process of its own; it prints the medians of its repetitions."""
    if not (ROOT / "benchmarks" / "bootstrap.py").is_file():
        return Report("Statistics", [], "benchmarks/bootstrap.py is not in this checkout.")
    counts = ["--draws", "999", "--repeats", "1"] if quick else []
    command = [sys.executable, "-m", "benchmarks.bootstrap", *counts]
    done = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True)
    result = json.loads(done.stdout)
    found = [Measurement(part, [result[part]]) for part in PARTS]
    text = f"{result['runs']} runs, {result['pairs']} pairs, {result['draws']} draws."
    return Report("Statistics", found, text)
