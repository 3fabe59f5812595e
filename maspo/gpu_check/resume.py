"""A run that ends after a step and goes on from its checkpoint."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from maspo.gpu_check.bench import Bench
from maspo.gpu_check.check import Measured, check, expect
from maspo.gpu_check.training import trainer
from maspo.sampling import Completion, SamplingSettings
from maspo.seeding import numpy_generator
from maspo.training.checkpoint import CheckpointFolder

LAYERS = 4  # of the policy: with all of them three checkpoints are over 60 GB to write


class Scripted:
    """A sampler whose completions depend on the seeds alone: vLLM makes choices of its own."""

    def __init__(self, vocabulary: int) -> None:
        self.vocabulary = vocabulary

    def sample(
        self, prompts: Sequence[Sequence[int]], seeds: Sequence[int], settings: SamplingSettings
    ) -> list[Completion]:
        """See `Sampler.sample`."""
        longest = min(256, settings.max_tokens)
        rows = []
        for seed in seeds:
            draw = numpy_generator(seed, "script")
            count = int(draw.integers(1, longest + 1))
            rows.append(tuple(draw.integers(2, self.vocabulary, count).tolist()))
        return [Completion(row, "") for row in rows]


@check("kill after a step, resume")
def resume(bench: Bench) -> Measured:
    """A run of two steps, and one that was ended after the first, have the same weights."""
    with tempfile.TemporaryDirectory() as place:
        whole = _weights(bench, Path(place) / "whole", [2])
        cut = _weights(bench, Path(place) / "cut", [1, 2])
    differing = [name for name in whole if not torch.equal(whole[name], cut[name])]
    expect(not differing, f"other bits after a resume: {differing[:5]}")
    return {"tensors": len(whole)}


def _weights(bench: Bench, folder: Path, stops: Sequence[int]) -> dict[str, torch.Tensor]:
    """Return the weights of a run that ends after each of `stops` and starts anew from disk."""
    for stop in stops:
        policy = bench.policy(LAYERS)
        with trainer(bench, Scripted(bench.architecture.vocabulary), policy) as run:
            run.settings = replace(run.settings, steps=stop)
            run.train(CheckpointFolder(folder, "check"), "check")
        found = {name: weight.cpu() for name, weight in policy.state_dict().items()}
        del policy, run
        bench.free()
    return found
