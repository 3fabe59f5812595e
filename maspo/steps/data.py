"""Step: make the training problems and the benchmarks."""

from maspo.config import Experiment, as_dict
from maspo.files import write_text
from maspo.steps.common import StepManifest, run_step
from maspo.steps.headlines import problem_headlines
from maspo.tasks import write_problems
from maspo.tasks.kinds import task_kind


def data(experiment: Experiment) -> None:
    """Write the training problems, data/benchmarks/<name>.parquet and the task's reports."""
    manifest = StepManifest("data", experiment)
    folder, task = manifest.layout.data, experiment.task
    with manifest.timed("make"):
        made = task_kind(task).make(task)
    training = {"train": made.training, **made.others}
    files = {manifest.layout.problems(name): problems for name, problems in training.items()}
    files |= {
        folder / "benchmarks" / f"{name}.parquet": problems
        for name, problems in made.benchmarks.items()
    }
    for path, problems in files.items():
        write_problems(path, problems)
    reports = {folder / name: text for name, text in made.texts.items()}
    for path, text in reports.items():
        write_text(path, text)
    manifest.finish(
        folder,
        as_dict(task),
        made.seeds,
        made.inputs,
        [*files, *reports],
        headlines=problem_headlines(training, made.benchmarks),
    )


if __name__ == "__main__":
    run_step(data)
