"""A sampler with log-probabilities of its own: the gap, the old policy, the correction."""

import math
from importlib.util import find_spec

import pytest
import torch

from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.evaluation.draw import draw_records
from maspo.objectives import PolicyBatch, make, names
from maspo.sampling import Completion
from maspo.sampling.make import make_sampler
from maspo.sampling.transformers import TransformersSampler
from maspo.training.sampler_gap import gap_metrics, importance_weights, sampler_log_probs
from maspo.verifier import Verifier


def test_log_probs_stand_where_the_tokens_are():
    mask = torch.tensor([[True, True], [True, False], [False, False]])
    completions = [
        Completion((4, 5), "", (-1.0, -2.0)),
        Completion((6,), "", (-0.5,)),
        Completion((), "", error="too long"),
    ]
    expected = torch.tensor([[-1.0, -2.0], [-0.5, 0.0], [0.0, 0.0]])
    assert torch.equal(sampler_log_probs(completions, mask), expected)
    assert sampler_log_probs([Completion((4, 5), "")], mask[:1]) is None


def test_gap_values():
    metrics = gap_metrics(torch.tensor([math.log(2.0), -math.log(2.0)]))
    assert metrics["sampler_gap_mean"] == pytest.approx(math.log(2), abs=1e-6)
    assert metrics["sampler_gap_max"] == pytest.approx(math.log(2), abs=1e-6)
    assert metrics["sampler_gap_k3"] == pytest.approx((1.0 - 0.5) / 2, abs=1e-6)


def test_k3_estimates_the_divergence():
    sampler, trainer = torch.tensor([0.5, 0.3, 0.2]), torch.tensor([0.4, 0.4, 0.2])
    drawn = torch.multinomial(
        sampler, 200_000, replacement=True, generator=torch.Generator().manual_seed(1)
    )
    exact = (sampler * (sampler / trainer).log()).sum().item()
    assert gap_metrics((trainer / sampler).log()[drawn])["sampler_gap_k3"] == pytest.approx(
        exact, rel=0.05
    )


def test_weights_are_truncated_above_only():
    weights = importance_weights(torch.tensor([3.0, 0.0, -3.0]), 2.0)
    assert torch.allclose(weights, torch.tensor([2.0, 1.0, math.exp(-3)]))


@pytest.mark.parametrize("name", names())
def test_importance_scales_each_tokens_gradient(name):
    """One token counts twice and one not at all: their gradients do the same."""
    torch.manual_seed(0)
    old, advantages = -torch.rand(2, 3), torch.tensor([[1.0] * 3, [-1.0] * 3])
    if name == "gspo":  # one ratio a sequence: a whole sequence counts twice or not at all
        factors = torch.tensor([[2.0] * 3, [0.0] * 3])
    else:
        factors = torch.tensor([[2.0, 0.0, 1.0], [1.0, 0.5, 2.0]])

    def gradient(importance):
        log_prob = (old + 0.05).requires_grad_()
        mask, entropy = torch.ones(2, 3), torch.rand(2, 3, generator=torch.manual_seed(1))
        batch = PolicyBatch(log_prob, old, advantages, mask, entropy, importance)
        make(name)(batch).loss.backward()
        return log_prob.grad

    plain = gradient(None)
    assert plain.abs().max() > 0
    assert torch.equal(gradient(torch.ones(2, 3)), plain)
    assert torch.allclose(gradient(factors), plain * factors, atol=1e-7)


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("train.old_policy=sampler", "train.old_policy"),
        ("train.importance_cap=2", "train.importance_cap"),
    ],
)
def test_a_sampler_without_log_probs_refuses_what_needs_them(override, named):
    with pytest.raises(ConfigError, match=named):
        load_experiment(["scale=smoke", override])
    load_experiment(["scale=smoke", "sampler=vllm", override])


def test_a_correction_of_nothing_is_refused():
    with pytest.raises(ConfigError, match="importance_cap"):
        load_experiment(
            ["scale=smoke", "sampler=vllm", "train.old_policy=sampler", "train.importance_cap=2"]
        )


def test_a_whole_step_uses_the_samplers_log_probs(tiny_policy, modular_problems):
    """The trainer's own log-probabilities, shifted by a known amount, stand for another engine."""
    from dataclasses import replace

    from test_training import trainer

    shift = 0.1

    def run(old_policy, cap):
        one = trainer(tiny_policy, modular_problems)
        one.settings.old_policy, one.settings.importance_cap = old_policy, cap
        rollout = one.roll_out(1)
        rollout.rewards = torch.arange(len(rollout.prompts)) % 2.0  # every row has an advantage
        plain, _ = one.run_old_policy(rollout)
        rows = [
            row[mask].tolist()
            for mini in plain
            for row, mask in zip(mini.old_log_prob, mini.padded.mask, strict=True)
        ]
        rollout.completions = [
            replace(c, log_probs=tuple(value - shift for value in row))
            for c, row in zip(rollout.completions, rows, strict=True)
        ]
        mini_batches, _ = one.run_old_policy(rollout)
        return plain[0], mini_batches[0]

    plain, mini = run("trainer", None)
    assert plain.gap is None
    assert torch.equal(mini.old_log_prob, plain.old_log_prob)
    assert torch.allclose(mini.gap[mini.padded.mask], torch.tensor(shift), atol=1e-5)
    assert mini.importance is None
    _, mini = run("trainer", 1.05)
    assert torch.allclose(mini.importance[mini.padded.mask], torch.tensor(1.05))
    plain, mini = run("sampler", None)
    mask = mini.padded.mask
    assert torch.allclose(mini.old_log_prob[mask], plain.old_log_prob[mask] - shift, atol=1e-5)


class OneFails:
    """A sampler that cannot answer its second request."""

    def __init__(self, sampler):
        self.sampler = sampler

    def sample(self, *arguments):
        completions = self.sampler.sample(*arguments)
        completions[1] = Completion((), "", error="too long by the test")
        return completions


def test_a_failed_request_is_an_error_in_a_run(tiny_policy, modular_problems):
    from test_training import trainer

    one = trainer(tiny_policy, modular_problems)
    one.sampler = OneFails(one.sampler)
    rollout = one.roll_out(1)
    assert rollout.metrics["error"] == 1
    assert rollout.rewards[1] == 0
    assert one.step(2)[0]["error"] == 1  # and the run goes on


def test_a_failed_request_stops_an_evaluation(tiny_policy, modular_problems):
    experiment = load_experiment(["scale=smoke"])
    policy, tokenizer = tiny_policy
    sampler = OneFails(TransformersSampler(policy, tokenizer, 64))
    with (
        pytest.raises(DataError, match=r"modular, problem .*, sample 1: too long by the test"),
        Verifier(rules=experiment.task.extraction) as verifier,
    ):
        draw_records(
            {"modular": modular_problems[:2]},
            sampler,
            tokenizer,
            verifier,
            experiment.evaluate,
            experiment.task,
            seed=1,
        )


@pytest.mark.skipif(find_spec("vllm") is not None, reason="vLLM is installed here")
def test_without_vllm_it_says_how_to_get_it(tiny_policy):
    experiment = load_experiment(["scale=smoke", "sampler=vllm"])
    with (
        pytest.raises(ConfigError, match=r"make test-vllm.*constraints/vllm-cuda\.txt"),
        make_sampler(experiment, *tiny_policy),
    ):
        pass
