"""Search for better settings of objectives by successive halving: `python -m maspo.search`.

Each family gets the same trials, seeds and rungs. Its first trial has its own settings, and the
others are drawn by Optuna. A trial trains from the base policies of the search's seeds, which the
workflow makes where they are missing; at each rung the worse part is stopped. docs/search.md.
"""

import argparse
import json
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from maspo.config import Experiment, as_dict, config_dir, gpus, load_experiment, setting_of
from maspo.determinism import make_deterministic
from maspo.devices import devices
from maspo.errors import ConfigError, MaspoError
from maspo.layout import Layout
from maspo.search.halving import Outcome, halve, import_optuna
from maspo.search.records import (
    settings_text,
    steps_trained,
    summary,
    write_best,
    write_trials,
)
from maspo.search.runs import TrialRuns, inputs, search_folder
from maspo.search.settings import Search, load_search, split_overrides
from maspo.steps.common import StepManifest
from maspo.tasks import Problem, read_problems
from maspo.verifier import Verifier
from maspo.workflow import run_workflow


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the search; exit with 1 and a message if it cannot."""
    parser = argparse.ArgumentParser(
        prog="python -m maspo.search",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("overrides", nargs="*", help="such as scale=mini search.trials=8 sampler=fused")
    add("--families", default="", help="some of the search's, with commas (default: all)")
    add("--cores", default="all", help="of the workflow that makes base policies (all)")
    add("--plan", action="store_true", help="say what the search costs, and start nothing")
    chosen = parser.parse_intermixed_args(arguments)
    try:
        names = [name for name in chosen.families.split(",") if name]
        run_search(chosen.overrides, names, chosen.cores, chosen.plan)
    except MaspoError as error:
        sys.exit(f"error: {error}")


def run_search(
    overrides: Sequence[str], families: Sequence[str] = (), cores: str = "all", plan: bool = False
) -> Path | None:
    """Return the folder of the search's records; with `plan` nothing is made."""
    own, others = split_overrides(overrides)
    experiment = load_experiment(others)
    if "results" not in map(setting_of, others):  # results/<scale> holds what the audit reads
        experiment = replace(experiment, results=f"results/search/{experiment.scale}")
    search = load_search(own, experiment, families)
    print(cost(search), flush=True)
    if plan:
        return None
    import_optuna()
    folder = search_folder(experiment)
    make_bases(experiment, search, others, cores)
    # What a trial needs no more than its numbers.
    train = replace(experiment.train, snapshots=[], rollouts_mb=None)
    experiment = replace(experiment, train=train)
    make_deterministic(experiment.threads, tf32=train.precision == "bfloat16")
    problems = fresh_problems(experiment)
    manifest = StepManifest("search", experiment)
    outcomes: dict[str, list[Outcome]] = {family: [] for family in search.families}

    def tell(outcome: Outcome) -> None:
        state = "complete" if outcome.complete else f"stopped at step {outcome.steps}"
        text = f"{outcome.family} trial {outcome.trial}: {state}, accuracy {outcome.value:.3f}"
        print(f"{text} ({settings_text(outcome)})", flush=True)
        outcomes[outcome.family].append(outcome)
        write_trials(folder, outcomes, search)

    folder.mkdir(parents=True, exist_ok=True)
    rules = experiment.task.extraction
    with devices(gpus(experiment, "train")), Verifier(rules=rules) as verifier:
        for family in search.families:
            runs = TrialRuns(family, experiment, search, problems, verifier)
            with manifest.timed(family):
                outcomes[family] = halve(
                    family, search, runs, folder / "journal.log", identity(runs, search), tell
                )
    files = [write_trials(folder, outcomes, search), *write_best(folder, outcomes, search)]
    logs = [search_folder(experiment) / family for family in search.families]
    manifest.finish(
        folder,
        {"search": as_dict(search), "train": as_dict(train), "task": as_dict(experiment.task)},
        {"sampler": search.sampler_seed, **{f"run_{n}": n for n in search.numbers}},
        inputs(experiment, search),
        [*files, folder / "journal.log", *logs],
        headlines=summary(outcomes, search).splitlines(),
    )
    for family in search.families:  # others may be in work by another process
        shutil.rmtree(folder / "checkpoints" / family, ignore_errors=True)
    trained = sum(steps_trained(trials, search) for trials in outcomes.values())
    print(f"{trained:,} RL steps were trained; the best: {folder / 'best'}")
    return folder


def cost(search: Search) -> str:
    """Return what the search costs, before anything is started."""
    count = len(search.families)
    least, halved, most = (f"{count * steps:,}" for steps in search.cost())
    return (
        f"{count} families x {search.trials} trials from the base policies of the seeds "
        f"{search.numbers}, halved at {search.rungs[:-1]} of {search.rungs[-1]} steps: {least} to "
        f"{most} RL steps, {halved} if exactly one of {search.reduction} goes on at each rung"
    )


def identity(runs: TrialRuns, search: Search) -> str:
    """Return what a family's outcomes depend on, besides the number of its trials."""
    settings = as_dict(search)
    space = settings.pop("families")[runs.family]
    del settings["trials"]
    return json.dumps({**settings, "space": space, **runs.identity}, sort_keys=True)


def make_bases(
    experiment: Experiment, search: Search, overrides: Sequence[str], cores: str
) -> None:
    """Make training problems and base policies by the workflow, as far as they are missing."""
    results = Path(experiment.results).resolve()
    missing = [path for path in inputs(experiment, search) if not path.exists()]
    if not missing:
        return
    results.mkdir(parents=True, exist_ok=True)
    kept = [text for text in overrides if setting_of(text) not in ("scale", "results")]
    settings = shlex.join([f"results={results.name}", *kept])
    targets = [path.resolve().relative_to(results.parent) for path in missing]
    config = [f"scale={experiment.scale}", f"overrides={settings}"]
    print(f"making {', '.join(map(str, missing))}", flush=True)
    run_workflow(results.parent, targets, config, cores, config_dir())


def fresh_problems(experiment: Experiment) -> list[Problem]:
    """Return the training problems.

    Raises:
        ConfigError: a run would come to some of them twice, and its accuracy would not be of
            problems that it has not seen.
    """
    train = experiment.train
    problems = read_problems(Layout(Path(experiment.results)).problems(train.problems))
    needed = train.steps * train.prompts_per_batch
    if needed > len(problems):
        raise ConfigError(
            f"train.steps={train.steps} train.prompts_per_batch={train.prompts_per_batch}: a run "
            f"reads {needed} problems, and there are {len(problems)}: accuracy in training is of "
            "fresh problems only within an epoch; take fewer steps or more problems"
        )
    return problems


if __name__ == "__main__":
    main()
