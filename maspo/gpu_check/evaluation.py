"""A small evaluation, and what it holds of the host's memory."""

import tracemalloc
from dataclasses import replace

from maspo.evaluation.draw import draw_records
from maspo.gpu_check.bench import Bench
from maspo.gpu_check.check import Measured, check, expect
from maspo.sampling import Sampler
from maspo.sampling.make import make_sampler
from maspo.verifier import Verifier

BYTES = 100  # of Python's memory a token, while completions are drawn


class Watched:
    """A sampler, and the largest memory that Python held in its last call."""

    def __init__(self, sampler: Sampler) -> None:
        self.sampler, self.peak = sampler, 0

    def sample(self, *arguments):
        """See `Sampler.sample`."""
        tracemalloc.start()
        try:
            return self.sampler.sample(*arguments)
        finally:
            self.peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()


@check("a small evaluation")
def evaluate(bench: Bench) -> Measured:
    """Records of eight problems; at 200 million tokens the bytes of one decide about the host."""
    experiment, policy = bench.experiment, bench.policy()
    with (
        make_sampler(experiment, policy, bench.tokenizer) as sampler,
        Verifier(rules=experiment.task.extraction) as verifier,
    ):
        watched = Watched(sampler)
        settings, task = experiment.evaluate, experiment.task
        found = []
        for share in (4, 4, 1):  # once to warm up; what a request costs is in both of the others
            some = replace(task, max_completion_tokens=task.max_completion_tokens // share)
            how = (watched, bench.tokenizer, verifier, settings, some)
            records = draw_records({"numbers": bench.problems}, *how, seed=1)
            expect(len(records) == 8 * settings.samples, f"{len(records)} records")
            found.append((sum(records["tokens"].to_pylist()), watched.peak))
    (few, less), (many, more) = found[1:]
    each = (more - less) / (many - few)
    expect(each < BYTES, f"{each:.0f} bytes of the host a token; allowed are {BYTES}")
    return {"tokens": many, "host bytes a token": each}
