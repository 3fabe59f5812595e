"""A function of a `PolicyBatch` in someone's own file, as an objective like those of this package.

The file is Python that runs as its user's. It defines

    def objective(batch):  # maspo.objectives.PolicyBatch: tensors (B, T)
        ...
        return loss        # a scalar tensor, to be minimised

and, if it reads `batch.entropy`, the line ``NEEDS_ENTROPY = True``.
"""

import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import torch
from torch import Tensor

from maspo.errors import ConfigError
from maspo.files import sha256
from maspo.objectives.base import ObjectiveOutput, PolicyBatch, Tokens
from maspo.objectives.primitives import statistics, to_floats

ROUNDING = 1e-5  # a weight this near 1 is 1, of which the logs count how many there are


@dataclass(frozen=True, kw_only=True)
class FileObjective:
    """The function `objective` of a file.

    `sha256` is the file's digest, so that a manifest says which code trained, and a changed file
    trains again.

    Raises:
        ConfigError: the file is missing, is not the one that is meant, or cannot be run; the
            message names its line.
    """

    path: str
    sha256: str
    function: Callable[[PolicyBatch], Tensor] = field(init=False, repr=False)
    needs_entropy: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not Path(self.path).is_file():
            raise ConfigError(f"{self.path}: there is no such file of an objective")
        if (found := sha256(Path(self.path))) != self.sha256:
            raise ConfigError(
                f"{self.path} has changed: its SHA-256 is {found}, not {self.sha256}. Start the "
                "test bed again"
            )
        module = _load(self.path)
        function = getattr(module, "objective", None)
        if not callable(function):
            raise ConfigError(f"{self.path} defines no function `objective(batch)`")
        object.__setattr__(self, "function", function)
        object.__setattr__(self, "needs_entropy", bool(getattr(module, "NEEDS_ENTROPY", False)))

    def __call__(self, batch: PolicyBatch) -> ObjectiveOutput:
        """Return the function's loss, with the metrics that every method logs.

        The weight of a token is what its gradient says: dL / d log-probability over that of the
        plain surrogate, -rho A / tokens. So it is 1 where the function is the plain token mean.

        Raises:
            ConfigError: the function fails, or returns no scalar with a finite value.
        """
        loss = self.loss(batch)
        tokens = Tokens(batch)
        moved = tokens.mask & (tokens.advantages != 0)
        weight = tokens.mask.to(tokens.dtype)
        if loss.requires_grad and moved.any():
            (gradient,) = torch.autograd.grad(loss, batch.log_prob, retain_graph=True)
            count = batch.total_tokens or tokens.mask.sum()
            plain = -tokens.ratio.detach() * tokens.advantages / count
            quotient = gradient / torch.where(moved, plain, 1.0)
            whole = (quotient - 1).abs() < ROUNDING
            weight = torch.where(moved & ~whole, quotient, weight)
        common = statistics(tokens.ratio.detach(), tokens.log_ratio.detach(), weight, tokens.mask)
        return ObjectiveOutput(loss, to_floats({**common}), weight)

    def loss(self, batch: PolicyBatch) -> Tensor:
        """Return what the function returns, checked."""
        with _named(self.path, "objective(batch) failed"):
            loss = self.function(batch)
        if not isinstance(loss, Tensor) or loss.numel() != 1:
            shape = f"shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else repr(type(loss))
            raise ConfigError(f"{self.path}: objective(batch) returned {shape}, no scalar tensor")
        if not loss.isfinite():
            raise ConfigError(f"{self.path}: objective(batch) returned the loss {loss.item()}")
        return loss.reshape(())


def _load(path: str) -> ModuleType:
    spec = spec_from_file_location("maspo_testbed_objective", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file: its name must end in .py")
    module = module_from_spec(spec)
    with _named(path, "cannot be run"):
        spec.loader.exec_module(module)
    return module


@contextmanager
def _named(path: str, what: str) -> Iterator[None]:
    """Turn an error of the file's code into one that names the line."""
    try:
        yield
    except SyntaxError as error:
        raise ConfigError(f"{path}, line {error.lineno}: {what} ({error.msg})") from error
    except Exception as error:
        lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path]
        where = f"{path}, line {lines[-1]}" if lines else path
        reason = f"{type(error).__name__}: {error}"
        raise ConfigError(f"{where}: {what} ({reason})") from error
