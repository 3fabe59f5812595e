"""Policy objectives of RLVR: one file a method, all with the same call.

    from maspo.objectives import PolicyBatch, make, names

    objective = make("maspo", alpha=0.5)
    output = objective(PolicyBatch(log_prob=..., old_log_prob=..., advantages=..., mask=...))
    output.loss.backward()

A method is a module of this package with a frozen dataclass under `@register("name")`, and a file
`configs/objective/name.yaml`. Modules are found by themselves: nothing else has to be edited.
The package imports torch and nothing else of the project.
"""

from importlib import import_module
from pkgutil import iter_modules

from maspo.objectives.base import (
    OBJECTIVES,
    Objective,
    ObjectiveOutput,
    PolicyBatch,
    make,
    names,
    register,
)
from maspo.objectives.primitives import EXTREMES, merge

for _module in iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")

__all__ = [
    "EXTREMES",
    "OBJECTIVES",
    "Objective",
    "ObjectiveOutput",
    "PolicyBatch",
    "make",
    "merge",
    "names",
    "register",
]
