"""Does this package work on this machine's GPU? Checks that need neither hub nor data.

`python -m maspo.steps.check_gpu` runs them (docs/scales.md, "The first day on a card").
"""

from maspo.gpu_check import attention, engine, evaluation, numerics, resume, training
from maspo.gpu_check.bench import Bench
from maspo.gpu_check.check import Check, Outcome, run_checks
from maspo.gpu_check.machine import check_host

CHECKS = [
    numerics.draws,
    numerics.chunks,
    numerics.precision,
    numerics.objectives,
    attention.repeats,
    attention.flash,
    attention.longest,
    engine.engine,
    training.steps,
    resume.resume,
    evaluation.evaluate,
]

__all__ = ["CHECKS", "Bench", "Check", "Outcome", "check_host", "run_checks"]
