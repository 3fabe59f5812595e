"""verl's training worker and FSDP engine, run for real on the CPU, against our own gradient."""

import pytest
import torch
from verl_case import (
    METHODS,
    draw_batch,
    make_worker,
    method_overrides,
    policy_batch,
    to_tensordict,
    tu,
)

from maspo.objectives import make

CUTS = {
    "whole": {"micro_batch": 6},
    "accumulated": {"micro_batch": 2},
    "dynamic": {"max_tokens": 12},
}


def our_gradient(policy, objective, drawn):
    """Return output and gradients by parameter name of one mini-batch, without micro-batches."""
    batch, old = policy_batch(policy, *drawn)
    output = objective(batch)
    policy.zero_grad()
    output.loss.backward()
    return output, {n: p.grad for n, p in policy.named_parameters()}, old


def record_gradients(worker):
    """Return a mapping that fills with the gradients of the next optimizer step, by parameter."""
    gradients, engine = {}, worker.engine
    step = engine.optimizer_step

    def recording_step():
        for name, parameter in engine.module.named_parameters():
            gradients[name] = parameter.grad.full_tensor().clone()
        return step()

    engine.optimizer_step = recording_step
    return gradients


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("method", METHODS)
def test_worker_takes_our_gradient(tiny_policy, policy_folder, method, cut):
    policy, tokenizer = tiny_policy
    drawn = draw_batch(len(tokenizer))
    output, gradients, old = our_gradient(policy, make(method), drawn)
    worker = make_worker(policy_folder, *method_overrides(method), **CUTS[cut])
    theirs = record_gradients(worker)
    prompts, completions, _, advantages = drawn
    result = worker.train_mini_batch(to_tensordict(prompts, completions, old, advantages))
    metrics = tu.get(result, "metrics")
    assert metrics["loss"][0] == pytest.approx(output.loss.item(), abs=1e-6)
    norm = torch.stack([g.norm() for g in gradients.values()]).norm().item()
    assert norm > 1e-3
    assert metrics["grad_norm"][0] == pytest.approx(norm, abs=1e-6, rel=1e-6)
    assert theirs.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert torch.allclose(theirs[name], gradient, rtol=0, atol=1e-6), name


@pytest.mark.parametrize("cut", CUTS)
def test_metrics_in_verls_log_are_those_of_the_mini_batch(tiny_policy, policy_folder, cut):
    policy, tokenizer = tiny_policy
    drawn = draw_batch(len(tokenizer))
    output, _, old = our_gradient(policy, make("maspo"), drawn)
    worker = make_worker(policy_folder, *method_overrides("maspo"), **CUTS[cut])
    prompts, completions, _, advantages = drawn
    result = worker.train_mini_batch(to_tensordict(prompts, completions, old, advantages))
    metrics = tu.get(result, "metrics")
    for name, value in output.metrics.items():
        assert metrics[f"actor/{name}"][0] == pytest.approx(value, abs=1e-6, rel=1e-6), name


def test_bapo_searches_the_mini_batch_not_the_micro_batch(tiny_policy, policy_folder):
    policy, tokenizer = tiny_policy
    drawn = draw_batch(len(tokenizer))
    output, _, old = our_gradient(policy, make("bapo"), drawn)
    alone = set()
    for row in range(0, 6, 2):
        part = [values[row : row + 2] for values in drawn]
        alone.add(make("bapo")(policy_batch(policy, *part)[0]).metrics["clip_low"])
    assert alone != {output.metrics["clip_low"]}  # else this batch would prove nothing
    worker = make_worker(policy_folder, *method_overrides("bapo"), micro_batch=2)
    prompts, completions, _, advantages = drawn
    result = worker.train_mini_batch(to_tensordict(prompts, completions, old, advantages))
    metrics = tu.get(result, "metrics")
    assert metrics["actor/clip_low"][0] == pytest.approx(output.metrics["clip_low"])
    assert metrics["actor/clip_high"][0] == pytest.approx(output.metrics["clip_high"])


STEERED = "{schedule:steered,from:0.3,by:%s,target:0.5,rate:0.1,low:0.0,high:1.0}"


def steps(worker, drawn, old, count):
    """Return the metrics of the actor over steps of one update each, on the same mini-batch."""
    prompts, completions, _, advantages = drawn
    rows = []
    for _ in range(count):
        data = to_tensordict(prompts, completions, old, advantages)
        metrics = tu.get(worker.train_mini_batch(data), "metrics")
        rows.append({name: values[0] for name, values in metrics.items() if "actor/" in name})
    return rows


@pytest.mark.parametrize("cut", CUTS)
def test_a_setting_falls_from_step_to_step(tiny_policy, policy_folder, cut):
    policy, tokenizer = tiny_policy
    drawn = draw_batch(len(tokenizer))
    _, old = policy_batch(policy, *drawn)
    falling = method_overrides("maspo", alpha="{schedule:linear,from:0.9,to:0.0}")
    rows = steps(make_worker(policy_folder, *falling, **CUTS[cut]), drawn, old, 3)
    # Of the ten steps of `verl_case`.
    assert [row["actor/setting_alpha"] for row in rows] == pytest.approx([0.9, 0.8, 0.7])
    still = method_overrides("maspo", alpha=0.9)
    (first,) = steps(make_worker(policy_folder, *still, **CUTS[cut]), drawn, old, 1)
    assert first["actor/sigma_mean"] == pytest.approx(rows[0]["actor/sigma_mean"])


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("by", ["weight_mean", "ratio_max"])
def test_a_steered_setting_follows_the_step_before(tiny_policy, policy_folder, tmp_path, by, cut):
    policy, tokenizer = tiny_policy
    drawn = draw_batch(len(tokenizer))
    _, old = policy_batch(policy, *drawn)
    overrides = method_overrides("maspo", alpha=STEERED % by)
    worker = make_worker(policy_folder, *overrides, **CUTS[cut])
    rows = steps(worker, drawn, old, 2)
    worker.save_checkpoint(str(tmp_path / "saved"))
    rows += steps(worker, drawn, old, 1)
    expected = [0.3]
    for row in rows[:-1]:
        expected.append(min(1.0, expected[-1] + 0.1 * (row[f"actor/{by}"] / 0.5 - 1)))
    assert len(set(expected)) == 3
    assert [row["actor/setting_alpha"] for row in rows] == pytest.approx(expected)

    resumed = make_worker(policy_folder, *overrides, **CUTS[cut])
    resumed.load_checkpoint(str(tmp_path / "saved"))
    (again,) = steps(resumed, drawn, old, 1)
    assert again == pytest.approx(rows[2])


def test_entropy_steers_as_the_policy_has_it(tiny_policy, policy_folder):
    policy, tokenizer = tiny_policy
    drawn = draw_batch(len(tokenizer))
    batch, old = policy_batch(policy, *drawn)
    entropy = batch.entropy[batch.mask].mean().item()
    overrides = method_overrides("maspo", alpha=STEERED % "entropy")
    with pytest.raises(ValueError, match="calculate_entropy=true"):
        make_worker(policy_folder, *overrides, micro_batch=2)
    overrides.append("actor_rollout_ref.actor.calculate_entropy=true")
    rows = steps(make_worker(policy_folder, *overrides, micro_batch=2), drawn, old, 2)
    assert rows[1]["actor/setting_alpha"] == pytest.approx(0.3 + 0.1 * (entropy / 0.5 - 1))


def test_schedules_need_the_number_of_steps(policy_folder):
    overrides = method_overrides("maspo", alpha="{schedule:linear,from:0.9,to:0.0}")
    overrides.append("actor_rollout_ref.actor.optim.total_training_steps=-1")
    with pytest.raises(ValueError, match=r"\['alpha'\] have schedules.*total_training_steps"):
        make_worker(policy_folder, *overrides, micro_batch=2)


def test_verls_own_objective_stays_verls(policy_folder, tiny_policy):
    tokenizer = tiny_policy[1]
    worker = make_worker(policy_folder, micro_batch=2)
    prompts, completions, noise, advantages = draw_batch(len(tokenizer))
    result = worker.train_mini_batch(to_tensordict(prompts, completions, noise, advantages))
    metrics = tu.get(result, "metrics")
    assert "actor/pg_clipfrac" in metrics
    assert "actor/weight_mean" not in metrics
