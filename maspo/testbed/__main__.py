"""Try your own objective against a method of this package: `python -m maspo.testbed my.py`.

The file defines ``objective(batch)``, which returns a loss (maspo/testbed/objective.py). Its
gradient is checked, then both methods are trained on the same base policies, seed after seed, until
their difference in Avg@k is decided, or the time or the seeds are spent. The verdict is one page.
"""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from maspo import __version__
from maspo.config import BuiltModel, build_objective, load_experiment, setting_of
from maspo.errors import ConfigError, MaspoError
from maspo.files import sha256, write_json, write_text
from maspo.statistics.sequential import LOOKS, Look, look
from maspo.testbed.checks import Check, Loss, checks
from maspo.testbed.objective import FileObjective
from maspo.testbed.page import FIGURES, page, points, sentence
from maspo.testbed.runs import Runs, add_objective, copy_configuration
from maspo.workflow import LOG


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the test bed; exit with 1 and a message if it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m maspo.testbed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("method", help="your file, or the name of a method such as clip_higher")
    add("overrides", nargs="*", help="overrides of the scale, such as train.lr=1e-4")
    add("--against", default="grpo", help="the method to compare with (default: grpo)")
    add("--minutes", type=float, default=15, help="no look starts that would end later (15)")
    add("--seeds", type=int, default=LOOKS[-1], help=f"pairs of runs at most ({LOOKS[-1]})")
    add("--margin", type=float, default=1, help="points of Avg@k that do not matter (1)")
    add("--scale", default="mini", help="file of configs/scale (mini)")
    add("--cores", default="all", help="as Snakemake takes it (all)")
    add("--folder", type=Path, default=Path("results/testbed"), help="of runs and verdicts")
    chosen = parser.parse_intermixed_args(arguments)
    try:
        test(chosen)
    except MaspoError as error:
        sys.exit(f"error: {error}")


def test(chosen: argparse.Namespace) -> Path:
    """Return the page of the verdict."""
    begun = time.monotonic()
    folder = chosen.folder.resolve()
    planned = [pairs for pairs in LOOKS if pairs <= chosen.seeds]
    if not planned or chosen.margin <= 0:
        raise ConfigError(
            f"--seeds {chosen.seeds} --margin {chosen.margin:g}: at least {LOOKS[0]} seeds, and a "
            "margin above 0"
        )
    build_objective(chosen.against)
    overrides = overrides_of_runs(chosen.scale, chosen.overrides)
    name, loss = _method(folder, chosen.method)
    tried = checks(loss)
    for check in tried:
        print(f"{'ok  ' if check.passed else 'NOTE'} {check.name}: {check.text}", flush=True)
    if failed := [check for check in tried if check.needed and not check.passed]:
        reasons = "; ".join(f"{check.name}: {check.text}" for check in failed)
        raise ConfigError(f"{chosen.method}: no run is started. {reasons}")
    runs = Runs(folder, name, chosen.against, chosen.scale, chosen.cores, overrides)
    looks = _look(runs, planned, chosen.margin / 100, begun + 60 * chosen.minutes)
    verdict = looks[-1].verdict(chosen.margin / 100)
    words = sentence(verdict, looks[-1], name, chosen.against, chosen.margin)
    print(words, flush=True)
    figures = runs.draw(looks[-1].pairs, tuple(FIGURES))
    facts = _facts(chosen, name, overrides, looks, time.monotonic() - begun)
    return _write(folder / f"{name}-{chosen.against}", verdict, words, looks, tried, facts, figures)


def _method(folder: Path, method: str) -> tuple[str, Loss]:
    """Return the variant that a file or a name means, and its loss."""
    folder.mkdir(parents=True, exist_ok=True)
    file = Path(method)
    if file.suffix == ".py":
        if not file.is_file():
            raise ConfigError(f"{method}: there is no such file")
        own = FileObjective(path=str(file.resolve()), sha256=sha256(file))
        return add_objective(folder, file), own.loss
    if file.exists():
        raise ConfigError(f"{method} is no Python file: give a .py file or the name of a method")
    objective = build_objective(method)
    copy_configuration(folder)
    return method, lambda batch: objective(batch).loss


def overrides_of_runs(scale: str, chosen: Sequence[str]) -> tuple[str, ...]:
    """Return the overrides; where none names a sampler, that of few operations."""
    experiment = load_experiment([f"scale={scale}", *chosen])
    if not isinstance(experiment.model, BuiltModel):
        raise ConfigError(
            f"--scale {scale}: the test bed trains base policies of its own, and this scale takes "
            "a published one; take mini, or smoke to try things out"
        )
    named = any(setting_of(override).split(".")[0] == "sampler" for override in chosen)
    return tuple(chosen) if named else ("sampler=fused", *chosen)


def _look(runs: Runs, planned: Sequence[int], margin: float, end: float) -> list[Look]:
    """Return the looks until the difference is decided or the next one would end too late."""
    looks: list[Look] = []
    for pairs in planned:
        begun, before = time.monotonic(), looks[-1].pairs if looks else 0
        print(f"{pairs} pairs are made; log: {runs.folder / LOG}", flush=True)
        runs.make(pairs)
        looks.append(look(runs.differences(pairs)))
        now = looks[-1]
        print(
            f"{pairs} pairs: {points(now.mean)} [{points(now.low)}, {points(now.high)}] points",
            flush=True,
        )
        if now.verdict(margin) != "open" or pairs == planned[-1]:
            break
        each = (time.monotonic() - begun) / (pairs - before)
        if time.monotonic() + each * (planned[len(looks)] - pairs) > end:
            print("the time is spent (--minutes)", flush=True)
            break
    return looks


def _facts(
    chosen: argparse.Namespace,
    name: str,
    overrides: Sequence[str],
    looks: Sequence[Look],
    seconds: float,
) -> list[tuple[str, str]]:
    """Return how the verdict came about."""
    facts = [
        ("Scale", " ".join([chosen.scale, *overrides])),
        ("Pairs of runs", f"{looks[-1].pairs}; looks planned at {list(LOOKS)}"),
        ("Margin", f"{chosen.margin:g} points"),
        ("Time", f"{seconds / 60:.1f} minutes, runs that were there before not counted"),
        ("Version", f"maspo {__version__}"),
    ]
    if name != chosen.method:
        facts.append(("SHA-256 of the file", sha256(Path(chosen.method))))
    return facts


def _write(
    stem: Path,
    verdict: str,
    words: str,
    looks: Sequence[Look],
    tried: Sequence[Check],
    facts: Sequence[tuple[str, str]],
    figures: Sequence[Path],
) -> Path:
    """Write the page and, for programs, the same without figures as JSON."""
    html, data = stem.with_name(f"{stem.name}.html"), stem.with_name(f"{stem.name}.json")
    title = stem.name.replace("-", " against ")
    write_text(html, page(title, words, looks, tried, facts, figures))
    content = {
        "verdict": verdict,
        "looks": [vars(x) for x in looks],
        "checks": [vars(check) for check in tried],
        "facts": dict(facts),
    }
    write_json(data, content)
    print(f"the verdict: {html}", flush=True)
    return html


if __name__ == "__main__":
    main()
