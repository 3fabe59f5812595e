"""Step: draw and grade completions of every benchmark problem with one policy.

A run that kept policies on its way (`train.snapshots`) has these evaluated too, on fewer problems.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa

from maspo.config import Experiment, as_dict
from maspo.determinism import make_deterministic
from maspo.evaluation.draw import evaluate_policy, snapshot_benchmarks
from maspo.evaluation.records import at_step, write_records
from maspo.files import sha256
from maspo.layout import BASE_VARIANT
from maspo.policy import check_device
from maspo.steps.common import StepManifest, run_step
from maspo.steps.headlines import score_headlines
from maspo.tasks import Problem, read_problems
from maspo.unfinished import Unfinished
from maspo.verifier import Verifier


def evaluate(experiment: Experiment) -> None:
    """Write evaluation/<variant>/seed_<seed>/records.parquet, and snapshots.parquet of a run."""
    check_device(experiment.model.device)
    make_deterministic(experiment.threads)
    manifest = StepManifest("evaluate", experiment)
    layout, variant, seed = manifest.layout, experiment.variant, experiment.seed
    names = experiment.task.benchmarks
    files = [layout.data / "benchmarks" / f"{name}.parquet" for name in names]
    benchmarks = dict(zip(names, map(read_problems, files), strict=True))
    steps = [] if variant == BASE_VARIANT else list(experiment.train.snapshots)
    few = snapshot_benchmarks(benchmarks, experiment.evaluate) if steps else {}
    sources = [layout.policy(variant, seed)]
    sources += [layout.snapshot(variant, seed, step) for step in steps]
    folder = layout.evaluation(variant, seed)
    outputs = [folder / "records.parquet"]
    settings = {"evaluate": as_dict(experiment.evaluate), "sampler": as_dict(experiment.sampler)}
    identity = [settings, as_dict(experiment.task), seed, *map(sha256, [*files, *sources])]
    unfinished = Unfinished.of(layout.unfinished_evaluation(variant, seed), identity)
    unfinished.prepare()
    with manifest.timed("sample"), Verifier(rules=experiment.task.extraction) as verifier:

        def draw(source: Path, problems: Mapping[str, Sequence[Problem]], name: str) -> pa.Table:
            parts = unfinished.folder / name
            return evaluate_policy(experiment, verifier, source, problems, parts)

        records = draw(sources[0], benchmarks, "policy")
        write_records(outputs[0], records)
        if steps:
            drawn = [
                at_step(draw(source, few, f"step_{step}"), step)
                for source, step in zip(sources[1:], steps, strict=True)
            ]
            outputs.append(folder / "snapshots.parquet")
            write_records(outputs[1], pa.concat_tables(drawn))
        else:  # those of a run before this one, with other settings
            (folder / "snapshots.parquet").unlink(missing_ok=True)
    manifest.finish(
        folder,
        settings,
        {"evaluate": seed},
        [*files, *sources],
        outputs,
        headlines=score_headlines(records),
    )
    unfinished.clear()


if __name__ == "__main__":
    run_step(evaluate, needs=("variant", "seed"))
