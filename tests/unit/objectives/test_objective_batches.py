"""Masked tokens, micro-batches, extremes: what a batch may hold and how it may be cut."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from objective_cases import adversarial_arrays, random_arrays, run, to_batch

from maspo.objectives import PolicyBatch, make, names
from maspo.objectives.base import Tokens
from maspo.objectives.primitives import AGGREGATIONS

JUNK = [float("nan"), float("inf"), float("-inf"), 1e30, -1e30]


def aggregations(name):
    return ["seq_mean_token_sum"] if name == "dr_grpo" else AGGREGATIONS


CASES = [(name, how) for name in names() for how in aggregations(name)]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("name", "how"), CASES)
def test_masked_tokens_may_hold_anything(name, how, seed):
    arrays = random_arrays(seed)
    junk = np.random.default_rng(seed).choice(JUNK, arrays["mask"].shape)
    soiled = {
        key: value if key == "mask" else np.where(arrays["mask"], value, junk)
        for key, value in arrays.items()
    }
    objective = make(name, aggregation=how)
    clean, gradient = run(objective, to_batch(arrays))
    output, soiled_gradient = run(objective, to_batch(soiled))
    assert torch.equal(output.loss, clean.loss)
    assert torch.equal(soiled_gradient, gradient)
    assert torch.equal(output.weight, clean.weight)
    assert output.metrics == clean.metrics
    assert (soiled_gradient[~torch.tensor(arrays["mask"])] == 0).all()


def test_a_mask_of_numbers_is_a_mask():
    batch = to_batch(random_arrays(1))
    numbers = replace(batch, mask=batch.mask.to(torch.int64))
    assert torch.equal(make("maspo")(numbers).loss, make("maspo")(batch).loss)


def micro_batches(batch, size):
    """Cut a batch along its sequences; each part knows the whole one's totals."""
    totals = {
        "total_tokens": int(batch.mask.sum()),
        "total_sequences": int(batch.mask.any(dim=1).sum()),
    }
    for start in range(0, len(batch.mask), size):
        part = slice(start, start + size)
        yield PolicyBatch(
            batch.log_prob[part],
            batch.old_log_prob[part],
            batch.advantages[part],
            batch.mask[part],
            batch.entropy[part],
            **totals,
        )


def accumulated(objective, batch, size):
    losses = [objective(part).loss for part in micro_batches(batch, size)]
    (gradient,) = torch.autograd.grad(sum(losses), batch.log_prob)
    return sum(losses), gradient


@pytest.mark.parametrize("size", [1, 2, 4])
@pytest.mark.parametrize(("name", "how"), [case for case in CASES if case[0] != "bapo"])
def test_micro_batches_add_up_to_the_mini_batch(name, how, size):
    arrays = random_arrays(8)
    arrays["mask"][2] = False  # a fully masked row counts nowhere
    batch = to_batch(arrays)
    objective = make(name, aggregation=how)
    output, gradient = run(objective, batch)
    loss, sum_of_gradients = accumulated(objective, batch, size)
    torch.testing.assert_close(loss, output.loss, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(sum_of_gradients, gradient, rtol=1e-12, atol=1e-15)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize(("name", "how"), CASES)
def test_rows_without_an_advantage_may_be_left_out(name, how):
    """As the training loop does: the totals keep the denominators, BAPO's search included."""
    batch = to_batch(random_arrays(3))
    kept = torch.tensor([0, 2, 3, 5])
    idle = torch.tensor([1, 4])
    batch.advantages[idle] = 0
    objective = make(name, aggregation=how)
    whole, gradient = run(objective, batch)
    fields = ("log_prob", "old_log_prob", "advantages", "mask", "entropy")
    part = PolicyBatch(
        **{field: getattr(batch, field)[kept] for field in fields},
        total_tokens=int(batch.mask.sum()),
        total_sequences=int(batch.mask.any(dim=1).sum()),
    )
    output, own = run(objective, part)
    torch.testing.assert_close(output.loss, whole.loss)
    torch.testing.assert_close(own, gradient[kept])
    assert (gradient[idle] == 0).all()
    assert gradient[kept].any()


def test_without_totals_a_micro_batch_is_averaged_on_its_own():
    batch = to_batch(random_arrays(8))
    alone = [replace(part, total_tokens=None) for part in micro_batches(batch, 2)]
    objective = make("grpo")
    assert sum(objective(part).loss for part in alone) != objective(batch).loss


def test_totals_may_be_tensors():
    batch = to_batch(random_arrays(8))
    counted = replace(batch, total_tokens=torch.tensor(100), total_sequences=torch.tensor(10))
    plain = replace(batch, total_tokens=100, total_sequences=10)
    for how in AGGREGATIONS:
        objective = make("grpo", aggregation=how)
        assert torch.equal(objective(counted).loss, objective(plain).loss)


def test_bapo_searches_in_each_micro_batch():
    """The search sees what the call sees: parts find other bounds than the whole."""
    arrays = random_arrays(8)
    arrays["adv"][:2] = 1.0
    arrays["adv"][2:] = -1.0
    batch = to_batch(arrays)
    objective = make("bapo")
    whole, gradient = run(objective, batch)
    found = [objective(part).metrics["clip_high"] for part in micro_batches(batch, 2)]
    assert whole.metrics["clip_high"] == 3.0
    assert found == [1.2, 3.0, 3.0]
    assert not torch.allclose(accumulated(objective, batch, 2)[1], gradient)


def test_bapo_with_bounds_of_the_mini_batch_adds_up():
    batch = to_batch(random_arrays(8))
    objective = make("bapo")
    low, high, share = objective.search(Tokens(batch))
    fixed = replace(
        objective,
        clip_low_start=low,
        clip_low_end=low,
        clip_high_start=high,
        clip_high_end=high,
    )
    output, gradient = run(objective, batch)
    assert output.metrics["clip_low"] == low
    assert output.metrics["positive_share"] == share
    loss, sum_of_gradients = accumulated(fixed, batch, 2)
    torch.testing.assert_close(loss, output.loss, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(sum_of_gradients, gradient, rtol=1e-12, atol=1e-15)


def test_bapo_stops_at_once_where_nothing_is_negative():
    arrays = random_arrays(8)
    arrays["adv"] = np.abs(arrays["adv"])
    metrics = make("bapo")(to_batch(arrays)).metrics
    assert (metrics["clip_low"], metrics["clip_high"]) == (0.6, 1.2)
    assert metrics["positive_share"] == 1.0


def test_bapo_ends_at_its_widest_bounds_where_nothing_is_positive():
    arrays = random_arrays(8)
    arrays["adv"] = -np.abs(arrays["adv"])
    metrics = make("bapo")(to_batch(arrays)).metrics
    assert (metrics["clip_low"], metrics["clip_high"]) == (0.9, 3.0)
    assert metrics["positive_share"] == 0.0


DTYPES = [torch.float64, torch.float32, torch.bfloat16]


def assert_finite(output, gradient):
    assert output.loss.isfinite()
    assert gradient.isfinite().all()
    assert output.weight.isfinite().all()
    assert all(np.isfinite(value) for value in output.metrics.values())


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", names())
def test_extremes_stay_finite(name, dtype):
    """Log-ratios of +-60, old probabilities 1e-38 and 1, advantages 0 to 500."""
    output, gradient = run(make(name), to_batch(adversarial_arrays(), dtype))
    assert_finite(output, gradient)


@pytest.mark.parametrize(
    "changed",
    [
        {"sigma_max": None, "risk_min": None, "risk_max": None},
        {"alpha": 3.0, "sigma_max": None},
        {"bilateral": True, "attached_gate": True},
    ],
)
def test_extremes_stay_finite_without_clamps(changed):
    output, gradient = run(make("maspo", **changed), to_batch(adversarial_arrays(), torch.float32))
    assert output.loss.isfinite()
    assert gradient.isfinite().all()
    assert output.weight.isfinite().all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "how"), CASES)
def test_a_fully_masked_batch_has_no_loss_and_no_gradient(name, how, dtype):
    arrays = random_arrays(0)
    arrays["mask"][:] = False
    arrays["log_prob"][:] = np.nan
    output, gradient = run(make(name, aggregation=how), to_batch(arrays, dtype))
    assert output.loss == 0
    assert (gradient == 0).all()
    assert_finite(output, gradient)


@pytest.mark.parametrize(("name", "how"), CASES)
def test_a_fully_masked_row_changes_nothing(name, how):
    arrays = random_arrays(0)
    longer = {key: np.concatenate([value, value[:1]]) for key, value in arrays.items()}
    longer["mask"][-1] = False
    objective = make(name, aggregation=how)
    output, gradient = run(objective, to_batch(arrays))
    padded, padded_gradient = run(objective, to_batch(longer))
    torch.testing.assert_close(padded.loss, output.loss, rtol=1e-12, atol=0)
    torch.testing.assert_close(padded_gradient[:-1], gradient, rtol=1e-12, atol=0)
    assert (padded_gradient[-1] == 0).all()


@pytest.mark.parametrize("name", names())
def test_zero_advantages_give_no_gradient(name):
    arrays = adversarial_arrays()
    arrays["adv"][:] = 0
    output, gradient = run(make(name), to_batch(arrays))
    assert (gradient == 0).all()
    assert output.metrics["weight_mean"] == 1.0
    assert output.metrics["gated_fraction"] == 0.0


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@pytest.mark.parametrize("name", names())
def test_half_precision_inputs_are_computed_in_float32(name, dtype):
    arrays = random_arrays(9)
    half = to_batch(arrays, dtype)
    output, gradient = run(make(name), half)
    assert output.loss.dtype == output.weight.dtype == torch.float32
    assert gradient.dtype == dtype
    raised = PolicyBatch(
        half.log_prob.detach().float().requires_grad_(),
        half.old_log_prob.float(),
        half.advantages.float(),
        half.mask,
        half.entropy.float(),
    )
    exact, exact_gradient = run(make(name), raised)
    assert torch.equal(output.loss, exact.loss)
    assert torch.equal(gradient, exact_gradient.to(dtype))


@pytest.mark.parametrize("name", names())
def test_float32_agrees_with_float64(name):
    arrays = random_arrays(9)
    single, gradient = run(make(name), to_batch(arrays, torch.float32))
    double, reference = run(make(name), to_batch(arrays, torch.float64))
    assert single.loss.item() == pytest.approx(double.loss.item(), rel=1e-4, abs=1e-7)
    torch.testing.assert_close(gradient.double(), reference, rtol=1e-3, atol=1e-6)
    assert double.weight.dtype == torch.float64
