"""Settings and batches that are refused, each with an error that names what is wrong."""

import re

import pytest
import torch
from hydra.utils import instantiate

from maspo.objectives import OBJECTIVES, PolicyBatch, make, names
from maspo.objectives.base import Objective, register
from maspo.objectives.constraints import setting
from maspo.objectives.primitives import aggregate

REFUSED = [
    ("maspo", "sigma_base", -1.0, ValueError, "above 0"),
    ("maspo", "sigma_base", 0, ValueError, "above 0"),
    ("maspo", "sigma_base", float("nan"), ValueError, "above 0"),
    ("maspo", "sigma_base", "1", TypeError, "a number"),
    ("maspo", "alpha", -0.1, ValueError, "at least 0"),
    ("maspo", "alpha", True, TypeError, "a number"),
    ("maspo", "alpha", None, TypeError, "a number"),
    ("maspo", "beta_high", -0.03, ValueError, "1 + beta_high A could reach 0"),
    ("maspo", "beta_low", -0.03, ValueError, "1 - beta_low A could reach 0"),
    ("maspo", "sigma_max", 0.5, ValueError, "at least sigma_base"),
    ("maspo", "sigma_max", float("inf"), ValueError, "or None"),
    ("maspo", "risk_min", 0.0, ValueError, "above 0 and at most 1"),
    ("maspo", "risk_max", 0.5, ValueError, "at least 1"),
    ("maspo", "bilateral", 1, TypeError, "true or false"),
    ("maspo", "attached_gate", "yes", TypeError, "true or false"),
    ("gate", "distance", "js", ValueError, "one of ['ratio', 'tv', 'kl']"),
    ("grpo", "clip_low", 0, ValueError, "above 0 and at most 1"),
    ("grpo", "clip_low", 1.2, ValueError, "at most 1"),
    ("grpo", "clip_high", -0.2, ValueError, "above 0"),
    ("grpo", "dual_clip", 1.0, ValueError, "above 1"),
    ("clip_higher", "clip_high", -0.28, ValueError, "above 0"),
    ("dac", "ratio_max", 1.0, ValueError, "above 1"),
    ("bapo", "target", 0, ValueError, "above 0"),
    ("bapo", "step", 0, ValueError, "above 0"),
    ("bapo", "clip_low_start", 0.95, ValueError, "at most clip_low_end = 0.9"),
    ("bapo", "clip_low_end", 1.0, ValueError, "below 1"),
    ("bapo", "clip_high_start", 4.0, ValueError, "at most clip_high_end = 3.0"),
    ("bapo", "clip_high_start", 0.9, ValueError, "above 1"),
    ("sapo", "tau_pos", 0, ValueError, "above 0"),
    ("sapo_unilateral", "tau_neg", -1, ValueError, "above 0"),
    ("entropy_adv", "kappa", 1.0, ValueError, "turn the sign"),
    ("entropy_adv", "alpha", -0.4, ValueError, "at least 0"),
    ("dgpo", "clip_low", 1.0, ValueError, "below 1"),
    ("dgpo", "n", 0, ValueError, "above 0"),
    ("cispo", "clip_high", 0, ValueError, "above 0"),
    ("gspo", "clip_low", 2, ValueError, "at most 1"),
    ("dr_grpo", "max_tokens", 0, ValueError, "at least 1"),
    ("dr_grpo", "aggregation", "token_mean", ValueError, "seq_mean_token_sum"),
]


@pytest.mark.parametrize(("name", "field", "value", "error", "constraint"), REFUSED)
def test_a_bad_value_is_named(name, field, value, error, constraint):
    with pytest.raises(error) as caught:
        make(name, **{field: value})
    message = str(caught.value)
    assert field in message
    assert constraint in message
    assert repr(value) in message


@pytest.mark.parametrize("name", names())
def test_an_unknown_aggregation_is_named(name):
    with pytest.raises(ValueError, match=r"aggregation must be one of .*got 'mean'"):
        make(name, aggregation="mean")


def test_the_primitive_refuses_an_unknown_aggregation():
    with pytest.raises(ValueError, match="aggregation must be one of"):
        aggregate(torch.zeros(1, 1), torch.ones(1, 1, dtype=torch.bool), "mean")


def test_an_unknown_method_lists_the_valid_ones():
    with pytest.raises(ValueError, match="'mapso' is unknown: valid are") as caught:
        make("mapso")
    assert all(name in str(caught.value) for name in names())


def test_an_unknown_field_lists_the_valid_ones():
    with pytest.raises(TypeError, match=r"'maspo' has no settings \['tau'\].*sigma_base"):
        make("maspo", tau=1.0)


def test_a_method_is_registered_once():
    with pytest.raises(ValueError, match="'grpo' is registered twice"):
        register("grpo")(OBJECTIVES["grpo"])


def test_a_misspelt_bound_of_a_setting_is_refused():
    with pytest.raises(TypeError, match="no bound"):
        setting(1.0, atleast=0)


def test_the_base_defines_no_surrogate():
    with pytest.raises(TypeError, match=r"abstract method.*surrogate"):
        Objective()


def test_an_objective_cannot_be_changed():
    with pytest.raises(AttributeError, match="alpha"):
        make("maspo").alpha = 1.0


def test_a_missing_entropy_is_named():
    batch = PolicyBatch(*(torch.zeros(1, 2) for _ in range(4)))
    with pytest.raises(ValueError, match=r"'entropy_adv' needs PolicyBatch\.entropy"):
        make("entropy_adv")(batch)
    assert [name for name in names() if OBJECTIVES[name].needs_entropy] == ["entropy_adv"]


@pytest.mark.parametrize("field", ["old_log_prob", "advantages", "mask", "entropy"])
def test_shapes_that_differ_are_named(field):
    tensors = {
        name: torch.zeros(2, 3)
        for name in ("log_prob", "old_log_prob", "advantages", "mask", "entropy")
    }
    tensors[field] = torch.zeros(2, 4)
    message = rf"{field} has shape \(2, 4\), which differs from log_prob's \(2, 3\)"
    with pytest.raises(ValueError, match=message):
        PolicyBatch(**tensors)


BATCHES = [
    ({"log_prob": torch.zeros(3)}, ValueError, r"two dimensions \(B, T\).*\(3,\)"),
    ({"log_prob": [0.0]}, TypeError, "log_prob must be a tensor, got list"),
    ({"log_prob": torch.zeros(3, dtype=torch.int64)}, TypeError, "floating point, got torch.int64"),
    ({"total_tokens": -1}, ValueError, "total_tokens must be at least 0, got -1"),
    ({"total_sequences": float("nan")}, ValueError, "total_sequences must be at least 0, got nan"),
]


@pytest.mark.parametrize(("changed", "error", "message"), BATCHES)
def test_bad_batches_are_named(changed, error, message):
    like = changed.get("log_prob", torch.zeros(1, 3))
    shape = like.shape if isinstance(like, torch.Tensor) else (1, 3)
    fields = {
        name: torch.zeros(shape) for name in ("log_prob", "old_log_prob", "advantages", "mask")
    }
    with pytest.raises(error, match=message):
        PolicyBatch(**(fields | changed))


def test_hydra_refuses_what_the_dataclass_refuses():
    node = {"_target_": "maspo.objectives.maspo.Maspo", "sigma_base": -1.0}
    with pytest.raises(Exception, match=re.escape("Maspo.sigma_base must be a number above 0")):
        instantiate(node)
