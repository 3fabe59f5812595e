"""Someone's own file as an objective: the same numbers as a method of the package; lines named."""

import pytest
import torch

from maspo.errors import ConfigError
from maspo.files import sha256
from maspo.objectives import make
from maspo.testbed.objective import FileObjective
from tests.unit.objectives.objective_cases import random_arrays, run, to_batch

GRPO = """
import torch


def objective(batch):
    ratio = (batch.log_prob - batch.old_log_prob).clamp(-20, 20).exp()
    gain = torch.minimum(ratio * batch.advantages, ratio.clamp(0.8, 1.2) * batch.advantages)
    gain = torch.where(batch.advantages < 0, gain.maximum(3 * batch.advantages), gain)
    count = batch.total_tokens or batch.mask.sum()
    return -torch.where(batch.mask, gain, 0.0).sum() / count
"""


@pytest.fixture
def written(tmp_path):
    """Return a function from a file's text to its objective."""

    def write(text):
        path = tmp_path / "mine.py"
        path.write_text(text)
        return FileObjective(path=str(path), sha256=sha256(path))

    return write


@pytest.mark.parametrize("seed", range(3))
def test_a_function_gives_loss_gradient_weights_and_metrics_of_the_package(written, seed):
    batch = to_batch(random_arrays(seed))
    ours, gradient = run(make("grpo"), batch)
    theirs, other = run(written(GRPO), batch)
    torch.testing.assert_close(theirs.loss, ours.loss)
    torch.testing.assert_close(other, gradient)
    torch.testing.assert_close(theirs.weight, ours.weight)
    assert theirs.metrics == pytest.approx(ours.metrics)
    assert theirs.metrics["gated_fraction"] == ours.metrics["gated_fraction"] > 0


def test_a_softer_weight_is_read_from_the_gradient(written):
    batch = to_batch(random_arrays(1))
    halved, _ = run(written(GRPO.replace("return -", "return -0.5 * ")), batch)
    whole, _ = run(make("grpo"), batch)
    moved = batch.mask & (batch.advantages != 0)
    torch.testing.assert_close(halved.weight[moved], 0.5 * whole.weight[moved])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRPO.replace("(batch):", "(batch)"), r"mine\.py, line 5: cannot be run .*expected ':'"),
        ("import no_such_module\n", r"mine\.py, line 1: cannot be run .*no_such_module"),
        (GRPO.replace("batch.mask.sum()", "batch.maks.sum()"), None),
        ("def goal(batch):\n    return 0\n", r"defines no function `objective\(batch\)`"),
        ("def objective(batch):\n    return 1.0\n", "not a scalar|no scalar tensor"),
        (GRPO.replace("0.0).sum()", "0.0).sum(1)"), r"shape \(6,\), no scalar tensor"),
        (GRPO.replace(".sum() / count", ".sum() / 0"), "returned the loss -?inf"),
        (
            GRPO.replace("    ratio =", "    raise KeyError('k')\n    ratio ="),
            r"mine\.py, line 6: objective\(batch\) failed \(KeyError",
        ),
    ],
)
def test_a_broken_file_ends_with_its_line_named(written, text, message):
    batch = to_batch(random_arrays(0))
    if message is None:  # the line is reached only where no total is given
        message = r"line 9: objective\(batch\) failed \(AttributeError.*maks"
    with pytest.raises(ConfigError, match=message):
        written(text)(batch)


def test_a_changed_file_is_refused(written, tmp_path):
    digest = written(GRPO).sha256
    (tmp_path / "mine.py").write_text(GRPO + "\n")
    with pytest.raises(ConfigError, match="has changed"):
        FileObjective(path=str(tmp_path / "mine.py"), sha256=digest)
    with pytest.raises(ConfigError, match="no such file"):
        FileObjective(path=str(tmp_path / "other.py"), sha256=digest)


def test_entropy_is_given_where_the_file_asks_for_it(written):
    assert written("NEEDS_ENTROPY = True\n" + GRPO).needs_entropy
    assert not written(GRPO).needs_entropy
