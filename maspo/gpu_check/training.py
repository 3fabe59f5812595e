"""Two RL steps as scale gpu makes them, beside the plan."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from maspo.determinism import check_still_set
from maspo.gpu_check.bench import Bench
from maspo.gpu_check.check import Measured, check, expect
from maspo.plan.hardware import CARDS, Card
from maspo.plan.local import memory_phases, phase_seconds
from maspo.sampling import Sampler
from maspo.sampling.make import make_sampler
from maspo.training.batches import MiniBatch
from maspo.training.loop import Trainer
from maspo.verifier import Verifier

OFF_PLAN = 0.1  # of the planned memory of an update


@contextmanager
def trainer(bench: Bench, sampler: Sampler, policy: torch.nn.Module) -> Iterator[Trainer]:
    """Give a trainer of MASPO on the policy."""
    experiment = bench.experiment
    with Verifier(rules=experiment.task.extraction) as verifier:
        parts = (policy, bench.tokenizer, bench.problems, sampler, verifier)
        yield Trainer.of(experiment, *parts)


@check("two RL steps")
def steps(bench: Bench) -> Measured:
    """Ratios start at exactly 1 and then move; memory and time stand beside the plan."""
    experiment, policy = bench.experiment, bench.policy()
    with (
        make_sampler(experiment, policy, bench.tokenizer) as sampler,
        trainer(bench, sampler, policy) as run,
    ):
        first, *others = run.run_old_policy(run.roll_out(1))[0]
        ratios = run.update(first).metrics
        expect(
            ratios["ratio_min"] == ratios["ratio_max"] == 1.0,
            f"the first update has ratios from {ratios['ratio_min']} to {ratios['ratio_max']}",
        )
        peak = _update_bytes(run, others) if bench.device == "cuda" else 0
        for step in (1, 2):
            metrics, timings = run.step(step)
            expect(metrics["error"] == 0, f"{metrics['error']} requests failed")
            expect(metrics["ratio_max"] > 1.0, "the ratios do not move")
        check_still_set(experiment.threads, tf32=experiment.train.precision == "bfloat16")
        measured = {"seconds": timings, "gap to the sampler": metrics.get("sampler_gap_mean")}
        if bench.device == "cuda":
            measured |= _beside_the_plan(bench, timings, peak)
    return measured


def _update_bytes(run: Trainer, mini_batches: list[MiniBatch]) -> int:
    """Return the peak of updates behind the first, which makes the moments.

    It is weights, moments, and what is allocated on top of them: torch counts an engine that
    sleeps as if it were awake, so the difference is taken.
    """
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    for mini_batch in mini_batches:
        run.update(mini_batch)
    weights = sum(weight.nbytes for weight in run.policy.parameters())
    return 3 * weights + torch.cuda.max_memory_allocated() - before


def _beside_the_plan(bench: Bench, timings: dict[str, float], peak: int) -> Measured:
    """Return the peak of an update and the steps' share of the roofline."""
    properties = torch.cuda.get_device_properties(0)
    phases = memory_phases(bench.architecture, bench.experiment, properties.total_memory)
    del phases["sampling"]
    planned = max(
        sum(n for part, n in parts.items() if "engine" not in part) for parts in phases.values()
    )
    measured = {"peak GB": peak / 1e9, "planned GB": planned / 1e9}
    if card := _card(properties.name):
        roofline = phase_seconds(bench.architecture, card, bench.experiment)
        sampled = roofline["prefill"] + roofline["decode"]
        shares = {
            "sample": sampled / timings["sample"],
            "old_log_probs": roofline["old log-probabilities"] / timings["old_log_probs"],
            "update": roofline["update"] / timings["update"],
        }
        measured["share of the roofline"] = shares
    expect(
        abs(peak / planned - 1) <= OFF_PLAN,
        f"the steps took {peak / 1e9:.1f} GB at their peak, and the plan says "
        f"{planned / 1e9:.1f} GB: more than {OFF_PLAN:.0%} apart. Measured: {measured}",
    )
    return measured


def _card(name: str) -> Card | None:
    return next((card for known, card in CARDS.items() if known in name), None)
