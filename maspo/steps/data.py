"""Step: make the training problems and the benchmarks."""

from maspo.config import Experiment, as_dict
from maspo.errors import DataError
from maspo.steps.common import StepRecord, run_step
from maspo.tasks import write_problems
from maspo.tasks.chain import make_benchmarks, make_training


def data(experiment: Experiment) -> None:
    """Write data/train.parquet and data/benchmarks/<name>.parquet."""
    record = StepRecord("data", experiment)
    folder = record.layout.data
    with record.timed("generate"):
        benchmarks = make_benchmarks(experiment.task)
        held_out = {problem.id for problems in benchmarks.values() for problem in problems}
        training = make_training(experiment.task, held_out)
    if leaked := held_out & {problem.id for problem in training}:
        raise DataError(f"benchmark problems in training: {sorted(leaked)}")
    files = {folder / "train.parquet": training} | {
        folder / "benchmarks" / f"{name}.parquet": problems for name, problems in benchmarks.items()
    }
    for path, problems in files.items():
        write_problems(path, problems)
    record.finish(folder, as_dict(experiment.task), {"task": experiment.task.seed}, [], list(files))


if __name__ == "__main__":
    run_step(data)
