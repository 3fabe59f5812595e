"""How time and memory of the RL step grow with its four sizes, and the fitted exponents.

    python -m benchmarks growth

One size is doubled at a time from a common base. The policy has the mini architecture and random
weights, and a vocabulary so large that few completions draw the end token early: lengths are then
what they are set to. Rewards are coin flips, so advantages are not zero. The sizes of one axis
take turns in one process. Time: CPU seconds on one thread. Memory: the peak of a step above what
the process held before it (weights and Adam's moments are held).
"""

import time
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from benchmarks.harness import Measurement, Report, interleaved, peak_growth
from benchmarks.mini import deterministic
from maspo.config import build_objective, load_experiment
from maspo.policy import build_policy, build_tokenizer, encode_prompts
from maspo.sampling.transformers import TransformersSampler
from maspo.tasks import Problem
from maspo.training.loop import Trainer
from maspo.verifier import Verdict


@dataclass(frozen=True)
class Sizes:
    """The sizes of an RL step."""

    prompts: int = 32
    group: int = 8
    length: int = 48  # tokens of a completion, at most
    vocabulary: int = 1024


BASE = Sizes()
QUICK_BASE = Sizes(prompts=16, group=4)
AXES = {
    "prompts": (16, 32, 64, 128),
    "group": (4, 8, 16, 32),
    "length": (24, 48, 96, 192),
    "vocabulary": (256, 1024, 4096, 16_384),
}
QUICK_POINTS = 3


class NoVerifier:
    """The reward is drawn, so nothing is graded."""

    def grade_many(self, completions: list[str], golds: list[str]) -> list[Verdict]:
        """Return a verdict for each completion."""
        return [Verdict.WRONG] * len(completions)


def trainer(sizes: Sizes) -> Trainer:
    """Return a trainer of random weights with these sizes."""
    experiment = load_experiment(
        [
            "scale=mini",
            f"train.prompts_per_batch={sizes.prompts}",
            f"train.group_size={sizes.group}",
            "train.reward=random",
            f"sampler.batch_size={sizes.prompts * sizes.group}",
        ]
    )
    others = "".join(map(chr, range(0x10000, 0x10000 + sizes.vocabulary)))
    tokenizer = build_tokenizer((experiment.task.characters + others)[: sizes.vocabulary - 2])
    architecture = {
        **experiment.model.architecture,
        "max_position_embeddings": sizes.length + 16,
        "initializer_range": 0.02,  # near-uniform draws: the end token comes rarely
    }
    policy = build_policy(architecture, tokenizer, seed=1)
    questions = [f"{i % 10}+{i // 10 % 10}*3+4*5?" for i in range(100)]
    problems = [Problem.create(question, "0", "modular") for question in questions]
    batch_size = experiment.sampler.batch_size
    return Trainer(
        policy=policy,
        tokenizer=tokenizer,
        objective=build_objective("grpo"),
        sampler=TransformersSampler(policy, tokenizer, batch_size),
        verifier=NoVerifier(),
        problems=problems,
        prompts=encode_prompts(tokenizer, problems, 16),
        settings=experiment.train,
        max_tokens=sizes.length,
        seed=1,
    )


class Steps:
    """A trainer that takes its next step when called, and keeps what the steps reported."""

    def __init__(self, sizes: Sizes) -> None:
        self.trainer = trainer(sizes)
        self.lengths: list[float] = []

    def __call__(self) -> None:
        with deterministic():
            metrics, _ = self.trainer.step(len(self.lengths) + 1)
        self.lengths.append(metrics["completion_length"])


def exponent(sizes: np.ndarray, values: np.ndarray) -> float:
    """Return p of the least-squares fit values = c * sizes**p, in logarithms."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def axis(name: str, steps: dict[int, Steps], seconds: dict[int, list[float]]) -> dict[str, Any]:
    """Measure the memory of one axis, and fit it and the seconds."""
    points = list(steps)
    memory = [peak_growth(step) for step in steps.values()]
    medians = np.array([np.median(seconds[point]) for point in points])
    # What is asked for is not quite what is drawn: fit over the length that was drawn.
    drawn = [float(np.mean(step.lengths)) for step in steps.values()]
    x = np.array(drawn if name == "length" else points, dtype=float)
    return {
        "points": points,
        "drawn_length": drawn,
        "seconds": medians.tolist(),
        "seconds_quartiles": [np.quantile(seconds[p], [0.25, 0.75]).tolist() for p in points],
        "memory_mib": memory,
        "time_exponent": exponent(x, medians),
        "time_exponent_last": exponent(x[-2:], medians[-2:]),
        "memory_exponent": exponent(x, np.array(memory)),
        "memory_exponent_last": exponent(x[-2:], np.array(memory[-2:])),
    }


def table(axes: dict[str, dict[str, Any]]) -> str:
    """Return the exponents, over all sizes and between the two largest."""
    lines = [
        "| size | from | to | seconds | MiB | time exponent | last doubling | memory exponent "
        "| last doubling |",
        "|---|---:|---:|---|---|---:|---:|---:|---:|",
    ]
    for name, found in axes.items():
        seconds = ", ".join(f"{value:.2f}" for value in found["seconds"])
        memory = ", ".join(f"{value:.0f}" for value in found["memory_mib"])
        lines.append(
            f"| {name} | {found['points'][0]} | {found['points'][-1]} | {seconds} | {memory} | "
            f"{found['time_exponent']:.2f} | {found['time_exponent_last']:.2f} | "
            f"{found['memory_exponent']:.2f} | {found['memory_exponent_last']:.2f} |"
        )
    return "\n".join(lines)


def measure(quick: bool) -> Report:
    """Every axis."""
    base = QUICK_BASE if quick else BASE
    chosen = {name: points[: QUICK_POINTS if quick else None] for name, points in AXES.items()}
    steps = {
        name: {point: Steps(replace(base, **{name: point})) for point in points}
        for name, points in chosen.items()
    }
    # All times before any memory: measuring that changes how this process allocates.
    seconds = {
        name: interleaved(sides, 2 if quick else 3, clock=time.process_time)
        for name, sides in steps.items()
    }
    axes = {name: axis(name, steps[name], seconds[name]) for name in AXES}
    found = []
    for name, result in axes.items():
        found.append(Measurement(f"time exponent, {name}", [result["time_exponent"]], ""))
        found.append(Measurement(f"memory exponent, {name}", [result["memory_exponent"]], ""))
    at = ", ".join(f"{name} {value}" for name, value in asdict(base).items())
    text = (
        f"{table(axes)}\n\nFrom the base {at}. Time: CPU seconds on one thread. Memory: the peak "
        "of a step above what was held before it. Seeds: runs share nothing, so time grows with "
        "exponent 1 and memory not at all."
    )
    return Report("Growth of the RL step", found, text, {"base": asdict(base), "axes": axes})
