"""Speed, load and agreement of the verifier: `python benchmarks/verifier.py --output DIR`.

Writes DIR/verifier.json and DIR/verifier.md. About a quarter of an hour on two busy cores, most of
it for the 100,000 verdicts with faults; `--scale 0.01` is a quick look. The real gold answers are
read where a checkout has them beside it (see tests/unit/verifier/gold_answers.py).
"""

import argparse
import json
import operator
import os
import platform
import signal
import sys
import time
from collections import Counter
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / part) for part in (".", "tests", "tests/unit/verifier")]

import gold_answers  # noqa: E402
from load_mix import Item, mix  # noqa: E402
from test_verifier_cases import CASES, completion  # noqa: E402

from benchmarks.harness import Measurement, Report  # noqa: E402
from maspo.verifier import DEFAULT_RULES, GRADER_VERSION, Verdict, Verifier, worker  # noqa: E402
from maspo.verifier.exact import compare  # noqa: E402
from maspo.verifier.text import clean  # noqa: E402

CPU_SECONDS = 3.0  # the default of Verifier
FAULTY_CPU_SECONDS = 0.25  # a thousand hangs cost four minutes of CPU time
PLAIN_LIMITS = worker.Limits(cpu_seconds=3.0, memory_mb=2048, wall_seconds=60.0)


def plain_math_verify(completion: str, gold: str) -> str:
    """Bare math-verify with its own defaults, its own extraction included."""
    from math_verify import parse, verify

    target = parse(f"\\boxed{{{gold}}}", parsing_timeout=None)
    value = parse(completion, parsing_timeout=None)
    return "correct" if verify(target, value, timeout_seconds=None) else "wrong"


class Plain:
    """Bare math-verify in a killable child of this process."""

    def __init__(self):
        plain_math_verify("$x+1$", "1+x")
        self.child = worker.Child(PLAIN_LIMITS, plain_math_verify)

    def grade(self, completion: str, gold: str) -> str:
        request = json.dumps({"answer": completion, "gold": gold}).encode() + b"\n"
        verdict = self.child.ask(request)
        if verdict in ("timeout", "died"):
            self.child = worker.Child(PLAIN_LIMITS, plain_math_verify)
        return verdict


def boxed(gold: gold_answers.Gold) -> str:
    """A gold answer as a completion."""
    return f"\\boxed{{{gold.answer}}}"


def integer_path(count: int) -> dict:
    """Verdicts per second of CPU time on whole numbers, with reasoning in front and bare."""
    rates = {}
    thought = "We add the terms and simplify. " * 30
    forms = {
        "boxed, behind 900 characters": (f"{thought}\\boxed{{%d}}", DEFAULT_RULES),
        "mini task, =answer": ("+7=a*2=%d", ("equals",)),
    }
    for name, (template, rules) in forms.items():
        completions = [template % index for index in range(count)]
        golds = [str(index) for index in range(count)]
        with Verifier(rules=rules) as verifier:
            start = time.process_time()
            verdicts = verifier.grade_many(completions, golds)
            rates[name] = round(count / (time.process_time() - start))
        assert set(verdicts) == {Verdict.CORRECT}
    return rates


def symbolic_items(count: int, seed: int) -> list[Item]:
    """Items of the mix that numbers and text cannot decide."""
    found = []
    for item in mix(20 * count, seed):
        answer = item.completion.rpartition("boxed{")[2].rpartition("}")[0]
        if (
            item.expected is not Verdict.NO_ANSWER
            and compare(clean(answer), clean(item.gold)) is None
        ):
            found.append(Item(f"\\boxed{{{answer}}}", item.gold, item.expected))
    return found[:count]


def symbolic_path(count: int) -> dict:
    """The same expressions by bare math-verify in this process and by one sandbox."""
    items = symbolic_items(count, seed=1)
    plain_math_verify("$x+1$", "1+x")
    start = time.perf_counter()
    plain = [plain_math_verify(item.completion, item.gold) for item in items]
    bare = time.perf_counter() - start
    with Verifier(workers=1) as verifier:
        verifier.grade_many(["\\boxed{x+1}"], ["1+x"])
        start = time.perf_counter()
        ours = verifier.grade_many(
            [item.completion for item in items], [item.gold for item in items]
        )
        sandboxed = time.perf_counter() - start
    expected = [item.expected for item in items]
    return {
        "expressions": len(items),
        "bare math-verify, per second": round(len(items) / bare, 1),
        "one sandbox, per second": round(len(items) / sandboxed, 1),
        "wrongly graded by bare math-verify": sum(map(operator.ne, plain, expected)),
        "wrongly graded by the verifier": sum(map(operator.ne, ours, expected)),
    }


def worker_memory() -> dict:
    """Resident and unshared MiB of a sandbox's two processes after 200 expressions."""
    items = symbolic_items(200, seed=2)
    with Verifier(workers=1) as verifier:
        verifier.grade_many([item.completion for item in items], [item.gold for item in items])
        keeper = psutil.Process(verifier.pids[0])
        processes = {"keeper": keeper, "child": keeper.children()[0]}
        return {
            name: {
                "resident MiB": round(info.rss / 2**20, 1),
                "unshared MiB": round(info.uss / 2**20, 1),
            }
            for name, info in ((n, p.memory_full_info()) for n, p in processes.items())
        }


def large_completions() -> dict:
    """Seconds to grade one completion of so many MB, its box at the end."""
    seconds = {}
    with Verifier() as verifier:
        for megabytes in (1, 10, 100):
            text = "Let us think again. " * (megabytes * 50_000) + "\\boxed{12}"
            start = time.perf_counter()
            verdict = verifier.grade_many([text], ["12"])[0]
            seconds[f"{megabytes} MB"] = round(time.perf_counter() - start, 4)
            assert verdict is Verdict.CORRECT
    return seconds


def recovery() -> dict:
    """Milliseconds of one expression: usual, first ever, after its child or its keeper died."""

    def milliseconds(index: int) -> float:
        start = time.perf_counter()
        verdicts = verifier.grade_many([f"\\boxed{{x+{index}}}"], [f"{index}+x"])
        assert verdicts == [Verdict.CORRECT]
        return round(1000 * (time.perf_counter() - start), 1)

    def after(kill) -> float:
        times = []
        for index in range(5):
            kill()
            times.append(milliseconds(100 + index))
        return sorted(times)[2]

    with Verifier(workers=1) as verifier:
        return {
            "first request (start and import)": milliseconds(1),
            "usual": sorted(milliseconds(index) for index in range(10, 30))[10],
            "after the child was killed": after(
                lambda: psutil.Process(verifier.pids[0]).children()[0].kill()
            ),
            "after the keeper was killed": after(lambda: os.kill(verifier.pids[0], signal.SIGKILL)),
        }


def load(count: int) -> dict:
    """The whole mix through two sandboxes, without and with faults."""
    results = {}
    runs = {
        "no faults": (0, 0, CPU_SECONDS),
        "1 % hangs, 0.1 % crashes": (0.01, 0.001, FAULTY_CPU_SECONDS),
    }
    for name, (hangs, crashes, cpu_seconds) in runs.items():
        items = mix(count, seed=3, hangs=hangs, crashes=crashes)
        golds = [item.gold for item in items]
        with Verifier(workers=2, cpu_seconds=cpu_seconds, faults=True) as verifier:
            start = time.perf_counter()
            verdicts = verifier.grade_many([item.completion for item in items], golds)
            seconds = time.perf_counter() - start
        results[name] = {
            "verdicts": len(verdicts),
            "unlike the expected": sum(
                v != i.expected for v, i in zip(verdicts, items, strict=True)
            ),
            **{verdict.value: Counter(verdicts)[verdict] for verdict in Verdict},
            "CPU limit, seconds": cpu_seconds,
            "seconds": round(seconds, 1),
            "per second": round(count / seconds),
        }
    return results


def agreement(pair_count: int) -> dict:
    """Against bare math-verify: the case table, real gold answers, pairs of real gold answers."""
    plain = Plain()
    skipped = ("size-", "box-", "rule-", "think-")  # they are about finding the answer
    cases = [case for case in CASES if not case["id"].startswith(skipped)]
    table = []
    for case in cases:
        verdict = plain.grade(completion(case), case["gold"])
        if verdict != case["expected"]:
            table.append([case["id"], case["expected"], verdict, case["reason"]])
    result = {"cases": len(cases), "cases that bare math-verify grades otherwise": table}
    if not gold_answers.available():
        return {**result, "gold answers": "no benchmark files beside this checkout"}
    golds = gold_answers.load()
    pairs = gold_answers.pairs(golds, pair_count)
    with Verifier(workers=2) as verifier:
        own = verifier.grade_many([boxed(g) for g in golds], [g.answer for g in golds])
        start = time.perf_counter()
        other = verifier.grade_many(
            [boxed(answer) for _, answer in pairs], [gold.answer for gold, _ in pairs]
        )
        seconds = time.perf_counter() - start
    named = [(g.problem, plain.grade(boxed(g), g.answer)) for g in golds]
    few = pairs[: pair_count // 10]
    equal = [
        (gold.problem, answer.problem, gold.answer, answer.answer)
        for gold, answer in few
        if plain.grade(boxed(answer), gold.answer) == "correct"
    ]
    return {
        **result,
        "gold answers": len(golds),
        "gold answers equal to themselves": Counter(own)[Verdict.CORRECT],
        "the same by bare math-verify": sum(verdict == "correct" for _, verdict in named),
        "not equal to themselves for it": [name for name, verdict in named if verdict != "correct"],
        "pairs": dict(Counter(verdict.value for verdict in other), seconds=round(seconds, 1)),
        f"of the first {len(few)} pairs equal for bare math-verify": equal,
    }


def markdown(report: dict) -> str:
    """The report as nested lists; the case table as a table."""
    lines = ["# The verifier, measured", ""]
    for section, content in report.items():
        lines += [f"## {section}", ""]
        for name, value in content.items() if isinstance(content, dict) else [("", content)]:
            if isinstance(value, list) and value and isinstance(value[0], list):
                lines += ["", f"{name}:", "", "| case | expected | math-verify | reason |"]
                lines += ["|---|---|---|---|"]
                lines += ["| " + " | ".join(row).replace("\n", " ") + " |" for row in value] + [""]
            else:
                lines.append(f"- {name}: {value}" if name else str(value))
        lines.append("")
    return "\n".join(lines)


def run(scale: float) -> dict:
    """The report, with counts of so large a fraction of the full ones."""
    count = lambda full: max(20, round(full * scale))  # noqa: E731
    sections = {
        "agreement": lambda: agreement(count(20_000)),
        "integer path, verdicts per second and core": lambda: integer_path(count(200_000)),
        "symbolic path": lambda: symbolic_path(count(1000)),
        "memory of a sandbox": worker_memory,
        "largest completion, seconds": large_completions,
        "recovery, milliseconds": recovery,
        "load, two sandboxes": lambda: load(count(100_000)),
    }
    report = {
        "machine": {
            "platform": platform.platform(),
            "python": platform.python_version(),
            "logical cores": os.cpu_count(),
            "load average at the start": os.getloadavg()[0],
            "grader": GRADER_VERSION,
        }
    }
    for name, section in sections.items():
        report[name] = section()
        print(json.dumps({name: report[name]}, indent=1)[:3000], flush=True)
    return report


def measure(quick: bool) -> Report:
    """The rates, for `python -m benchmarks verifier`; the whole report is in the details."""
    report = run(0.01 if quick else 1.0)
    found = [
        Measurement(f"integer path, {form}", [rate], "/s", lower_is_better=False)
        for form, rate in report["integer path, verdicts per second and core"].items()
    ]
    symbolic = report["symbolic path"]["one sandbox, per second"]
    found.append(Measurement("symbolic path, one sandbox", [symbolic], "/s", lower_is_better=False))
    for name, row in report["load, two sandboxes"].items():
        found.append(Measurement(f"load, {name}", [row["per second"]], "/s", lower_is_better=False))
    return Report("Verifier", found, details=report)


def main() -> None:
    """Measure everything and write both files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, required=True, help="folder for the two files")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the full counts")
    options = parser.parse_args()
    report = run(options.scale)
    options.output.mkdir(parents=True, exist_ok=True)
    (options.output / "verifier.json").write_text(json.dumps(report, indent=1) + "\n")
    (options.output / "verifier.md").write_text(markdown(report) + "\n")


if __name__ == "__main__":
    main()
