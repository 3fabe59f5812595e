"""Step: is this machine ready for scale gpu? One verdict, in about ten minutes on a card.

With `--device cpu` it runs all that has a meaning without a GPU, shrunk, in about a minute.
"""

import argparse
import sys
from dataclasses import asdict
from pathlib import Path

from maspo.determinism import make_deterministic
from maspo.devices import devices
from maspo.errors import MaspoError
from maspo.files import write_json
from maspo.gpu_check import CHECKS, Bench, Outcome, check_host, run_checks

PASSED, FAILED, CANNOT_RUN = 0, 1, 2  # exit statuses


def check_gpu(device: str, output: Path, tokens: int | None = None) -> int:
    """Run the checks, print them and write `output`; return the exit status."""
    try:
        bench = Bench(device, tokens)
        make_deterministic(bench.experiment.threads, tf32=True)
        with devices(int(device == "cuda")):
            found = check_host(device)
            print(", ".join(f"{name} {value}" for name, value in found.items()), flush=True)
            outcomes = []
            for outcome in run_checks(bench, CHECKS):
                outcomes.append(outcome)
                print(line(outcome), flush=True)
    except MaspoError as error:
        print(f"cannot run: {error}", file=sys.stderr)
        return CANNOT_RUN
    counts = {s: sum(o.status == s for o in outcomes) for s in ("passed", "failed", "skipped")}
    verdict = "failed" if counts["failed"] else "passed"
    write_json(output, {"verdict": verdict, **found, "checks": [asdict(o) for o in outcomes]})
    summary = ", ".join(f"{count} {status}" for status, count in counts.items())
    print(f"{verdict}: {summary}. Everything that was measured: {output}")
    return FAILED if counts["failed"] else PASSED


def line(outcome: Outcome) -> str:
    """Return an outcome as lines of the summary."""
    measured = "; ".join(f"{name}: {short(value)}" for name, value in outcome.measured.items())
    detail = outcome.message or measured
    return f"{outcome.status:8}{outcome.seconds:6.1f} s  {outcome.name}" + (
        f"\n                  {detail}" if detail else ""
    )


def short(value: object) -> str:
    """Return a value with its numbers rounded."""
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, dict):
        return ", ".join(f"{name} {short(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ", ".join(map(short, value))
    return str(value)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--output", type=Path, default=Path("gpu_check.json"))
    parser.add_argument("--tokens", type=int, help="of a completion; fewer for a shorter check")
    arguments = parser.parse_args()
    sys.exit(check_gpu(arguments.device, arguments.output, arguments.tokens))
