"""The checks before any run: they pass for every method of the package, and find what is broken."""

from pathlib import Path

import pytest
import torch

from maspo.files import sha256
from maspo.objectives import make, names
from maspo.testbed.checks import checks
from maspo.testbed.objective import FileObjective

USUAL = {"gradient", "mask", "repeatable", "extremes"}


def plain(batch):
    """The surrogate rho A as a mean over tokens."""
    ratio = (batch.log_prob - batch.old_log_prob).clamp(-20, 20).exp()
    gain = torch.where(batch.mask, ratio * batch.advantages, 0.0)
    return -gain.sum() / (batch.total_tokens or batch.mask.sum())


def failed(loss):
    return {check.name for check in checks(loss) if not check.passed}


def test_a_plain_surrogate_passes_all():
    assert failed(plain) == set()


def test_the_example_passes_all():
    path = Path(__file__).parents[3] / "examples" / "my_objective.py"
    assert failed(FileObjective(path=str(path), sha256=sha256(path)).loss) == set()


@pytest.mark.parametrize("name", names())
def test_every_method_passes_what_no_run_starts_without(name):
    objective = make(name)
    needed = {check.name for check in checks(lambda b: objective(b).loss) if check.needed}
    assert needed & failed(lambda batch: objective(batch).loss) == set()
    assert not USUAL & failed(lambda batch: objective(batch).loss)


def unmasked(batch):
    ratio = (batch.log_prob - batch.old_log_prob).exp()
    return -(ratio * batch.advantages).mean()


def constant_outside(batch):
    """No gradient outside the mask, and yet what stands there counts."""
    return plain(batch) + batch.advantages[~batch.mask].sum()


def noisy(batch):
    return plain(batch) * (1 + torch.rand(()))


def without_clamp(batch):
    ratio = (batch.log_prob - batch.old_log_prob).float().exp()
    gain = torch.where(batch.mask, ratio.square() * batch.advantages, 0.0)
    return -gain.sum() / (batch.total_tokens or batch.mask.sum())


def mean_of_its_part(batch):
    ratio = (batch.log_prob - batch.old_log_prob).clamp(-20, 20).exp()
    return -(ratio * batch.advantages)[batch.mask].mean()


@pytest.mark.parametrize(
    ("loss", "found"),
    [
        (unmasked, {"mask", "micro-batches", "on-policy"}),
        (constant_outside, {"mask"}),
        (noisy, {"repeatable", "mask", "micro-batches"}),
        (without_clamp, {"extremes"}),
        (mean_of_its_part, {"micro-batches"}),
        (lambda batch: -plain(batch), {"on-policy"}),
        (lambda batch: 10 * plain(batch), {"scale"}),
        (lambda batch: plain(batch).detach(), {"gradient", "on-policy", "scale"}),
        (lambda batch: batch.old_log_prob.sum() * 0, {"gradient", "on-policy", "scale"}),
    ],
)
def test_what_is_broken_is_found(loss, found):
    assert failed(loss) >= found
    if "extremes" not in found:
        assert "extremes" not in failed(loss)
