"""The train step where verl is the engine: the same outputs as with this package's own loop."""

import json
import shutil
from typing import Any

from maspo.config import Experiment, build_objective
from maspo.errors import ConfigError
from maspo.files import atomic, sha256, write_text
from maspo.integrations.verl.data import write_verl_problems
from maspo.integrations.verl.launch import VerlRun
from maspo.integrations.verl.logs import metrics_row, read_logs, timings_row
from maspo.layout import BASE_VARIANT
from maspo.steps.common import StepManifest
from maspo.steps.headlines import log_headlines
from maspo.tasks import read_problems
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.trackers import Tracker


def print_command(experiment: Experiment) -> None:
    """Print the shell script that trains one run with verl (scale=paper); start nothing."""
    if experiment.engine.kind != "verl":
        raise ConfigError(
            f"engine.kind={experiment.engine.kind!r} starts no other program: the step trains by "
            "itself; --print-command is for engine=verl (scale=paper)"
        )
    build_objective(experiment.variant)
    print(VerlRun(experiment).script(), end="")


def train_with_verl(
    experiment: Experiment, settings: dict[str, Any], tracker: Tracker | None = None
) -> None:
    """Write runs/<variant>/seed_<seed>: the policy that verl trained and its logs.

    `settings` is what the run depends on besides its inputs and its engine. The tracker is told at
    the end: while it trains, verl has trackers of its own (`engine.overrides`).
    """
    settings = {**settings, "engine": experiment.engine.behind_results}
    manifest = StepManifest("train", experiment)
    run = VerlRun(experiment)
    source = manifest.layout.problems(experiment.train.problems)
    base = manifest.layout.policy(BASE_VARIANT, experiment.base_seed)
    identity = {**settings, "seed": experiment.seed, "data": sha256(source), "base": sha256(base)}
    checkpoints = CheckpointFolder.of(run.folder, identity)
    checkpoints.prepare()
    write_verl_problems(run.problems, read_problems(source))
    with manifest.timed("train"):
        run.run()
    rows = read_logs(run.logs, experiment.train.steps)
    if tracker:
        for step, row in enumerate(rows, start=1):
            tracker.log(step, train=metrics_row(row), timings=timings_row(row))
    folder = manifest.layout.run(experiment.variant, experiment.seed)
    with atomic(folder / "policy") as temporary:
        shutil.copytree(run.merged, temporary)
    for name, make_row in (("metrics", metrics_row), ("timings", timings_row)):
        lines = [json.dumps(make_row(row)) + "\n" for row in rows]
        write_text(folder / f"{name}.jsonl", "".join(lines))
    manifest.finish(
        folder,
        settings,
        {"run": experiment.seed},
        [source, base],
        [folder / "policy", folder / "metrics.jsonl", folder / "timings.jsonl"],
        headlines=log_headlines(folder),
    )
    checkpoints.clear()
