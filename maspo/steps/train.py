"""Step: one RL run.

With `--print-command`, a run whose engine is verl is printed as the shell script that trains it;
with `--plan`, the memory and time that a run of the local engine needs on one GPU.
"""

import shutil
from typing import Any

from maspo.config import Experiment, as_dict, build_objective, objective_settings
from maspo.determinism import check_still_set, make_deterministic
from maspo.files import atomic, sha256
from maspo.layout import BASE_VARIANT
from maspo.policy import load_policy, save_policy
from maspo.sampling.make import make_sampler
from maspo.steps.common import StepManifest, run_step
from maspo.steps.headlines import log_headlines
from maspo.steps.train_plan import check_machine, print_plan
from maspo.steps.train_verl import print_command, train_with_verl
from maspo.tasks import read_problems
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.loop import Trainer
from maspo.training.rollouts import FILE, join_steps, write_rollouts
from maspo.training.trackers import TRACKERS, Tracker, open_tracker
from maspo.verifier import Verifier


def run_settings(experiment: Experiment) -> dict[str, Any]:
    """Return what a run depends on besides its inputs: what the manifest keeps."""
    settings = {
        "objective": objective_settings(experiment.variant),
        "train": as_dict(experiment.train),
        "task": as_dict(experiment.task),
        "dtype": experiment.model.dtype,
        "device": experiment.model.device,
    }
    if experiment.engine.kind != "verl":  # verl samples by itself; evaluations are not its own
        settings["sampler"] = as_dict(experiment.sampler)
    return settings


def train(experiment: Experiment, track: str | None = None) -> None:
    """Write runs/<variant>/seed_<seed>: the trained policy and its logs."""
    build_objective(experiment.variant)  # a bad setting stops here, before anything is loaded
    settings = run_settings(experiment)
    if experiment.engine.kind == "local":
        check_machine(experiment)
    project, run = f"maspo_{experiment.scale}", f"seed_{experiment.seed}"
    with open_tracker(track, project, experiment.variant, run, settings) as tracker:
        trainers = {"local": train_here, "verl": train_with_verl}
        trainers[experiment.engine.kind](experiment, settings, tracker)


def train_here(
    experiment: Experiment, settings: dict[str, Any], tracker: Tracker | None = None
) -> None:
    """Train with this package's own loop; `settings` is what the run depends on."""
    tf32 = experiment.train.precision == "bfloat16"
    fixed: dict[str, Any] = {"threads": experiment.threads, "tf32": tf32}
    make_deterministic(**fixed)
    manifest = StepManifest("train", experiment)
    source = manifest.layout.problems(experiment.train.problems)
    base = manifest.layout.policy(BASE_VARIANT, experiment.base_seed)
    folder = manifest.layout.run(experiment.variant, experiment.seed)
    policy, tokenizer = load_policy(base, experiment.model.dtype, experiment.model.device)
    problems = read_problems(source)
    identity = {**settings, "seed": experiment.seed, "data": sha256(source), "base": sha256(base)}
    checkpoints = CheckpointFolder.of(
        manifest.layout.checkpoints(experiment.variant, experiment.seed), identity
    )
    with (
        manifest.timed("train"),
        Verifier(rules=experiment.task.extraction) as verifier,
        make_sampler(experiment, policy, tokenizer) as sampler,
    ):
        check_still_set(**fixed)  # the sampler has started
        trainer = Trainer.of(experiment, policy, tokenizer, problems, sampler, verifier)
        trainer.train(checkpoints, f"{experiment.variant} seed {experiment.seed}", tracker)
    save_policy(folder / "policy", policy, tokenizer)
    for name in ("metrics.jsonl", "timings.jsonl"):
        with atomic(folder / name) as temporary:
            shutil.copyfile(checkpoints.folder / name, temporary)
    outputs = [folder / name for name in ("policy", "metrics.jsonl", "timings.jsonl")]
    shutil.rmtree(folder / "snapshots", ignore_errors=True)  # of a run with other settings
    for step in experiment.train.snapshots:
        outputs.append(manifest.layout.snapshot(experiment.variant, experiment.seed, step))
        with atomic(outputs[-1]) as temporary:
            shutil.copytree(checkpoints.snapshot(step), temporary)
    (folder / FILE).unlink(missing_ok=True)  # likewise
    if experiment.train.rollouts_mb is not None:
        parts = [checkpoints.rollouts(step) for step in range(1, experiment.train.steps + 1)]
        outputs.append(folder / FILE)
        write_rollouts(outputs[-1], join_steps(parts))
    manifest.finish(
        folder,
        {**settings, "overlong_prompts_dropped": len(problems) - len(trainer.problems)},
        {"run": experiment.seed},
        [source, base],
        outputs,
        headlines=log_headlines(folder),
    )
    checkpoints.clear()


if __name__ == "__main__":
    needs = ("variant", "seed")
    others = {"--print-command": (print_command, needs), "--plan": (print_plan, ())}
    track = {"choices": list(TRACKERS), "help": "follow the run there too (docs/follow.md)"}
    run_step(train, needs, others, {"track": track})
