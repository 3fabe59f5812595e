"""Step: draw and grade completions of every benchmark problem with one policy."""

from maspo.config import Experiment, as_dict
from maspo.determinism import make_deterministic
from maspo.evaluation.draw import draw_records
from maspo.evaluation.records import write_records
from maspo.policy import check_device, load_policy
from maspo.sampling.make import make_sampler
from maspo.steps.common import StepRecord, run_step
from maspo.tasks import read_problems
from maspo.verifier import Verifier


def evaluate(experiment: Experiment) -> None:
    """Write evaluation/<variant>/seed_<seed>/records.parquet."""
    check_device(experiment.model.device)
    make_deterministic(experiment.threads)
    record = StepRecord("evaluate", experiment)
    names = experiment.task.benchmarks
    files = [record.layout.data / "benchmarks" / f"{name}.parquet" for name in names]
    benchmarks = dict(zip(names, map(read_problems, files), strict=True))
    source = record.layout.policy(experiment.variant, experiment.seed)
    folder = record.layout.evaluation(experiment.variant, experiment.seed)
    policy, tokenizer = load_policy(source, experiment.model.dtype, experiment.model.device)
    with (
        record.timed("sample"),
        Verifier(rules=experiment.task.extraction) as verifier,
        make_sampler(experiment, policy, tokenizer) as sampler,
    ):
        records = draw_records(
            benchmarks,
            sampler,
            tokenizer,
            verifier,
            experiment.evaluate,
            experiment.task,
            experiment.seed,
        )
    write_records(folder / "records.parquet", records)
    record.finish(
        folder,
        {"evaluate": as_dict(experiment.evaluate), "sampler": as_dict(experiment.sampler)},
        {"evaluate": experiment.seed},
        [*files, source],
        [folder / "records.parquet"],
    )


if __name__ == "__main__":
    run_step(evaluate, needs=("variant", "seed"))
