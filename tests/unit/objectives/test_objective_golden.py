"""Loss and gradient against the figures of other implementations (data/golden_objectives.json)."""

import json
from pathlib import Path

import pytest
import torch
from objective_cases import run

from maspo.objectives import PolicyBatch, make

GOLDEN = json.loads((Path(__file__).parent / "data" / "golden_objectives.json").read_text())


def settings_of(key):
    """`maspo|alpha=0.3|beta=0.03|token-mean` -> name and settings."""
    name, *variant, aggregation = key.split("|")
    settings = {"aggregation": aggregation.replace("-", "_")}
    for part in variant:
        if "=" in part:
            field, value = part.split("=")
            fields = ("beta_high", "beta_low") if field == "beta" else (field,)
            settings |= dict.fromkeys(fields, float(value))
    return name, settings


@pytest.mark.parametrize("key", GOLDEN["expected"])
def test_loss_and_gradient_match(key):
    inputs = {k: torch.tensor(v, dtype=torch.float64) for k, v in GOLDEN["inputs"].items()}
    expected = GOLDEN["expected"][key]
    name, settings = settings_of(key)
    batch = PolicyBatch(
        log_prob=inputs["log_prob"].requires_grad_(),
        old_log_prob=inputs["old_log_prob"],
        advantages=inputs["advantages"],
        mask=inputs["mask"],
    )
    output, gradient = run(make(name, **settings), batch)
    assert output.loss.item() == pytest.approx(expected["loss"], rel=1e-6)
    wanted = torch.tensor(expected["grad"], dtype=torch.float64)
    torch.testing.assert_close(gradient, wanted, rtol=1e-6, atol=1e-12)
    if bounds := expected.get("bounds"):
        share = output.metrics["positive_share"]
        assert output.metrics["clip_low"] == pytest.approx(bounds["clip_low"])
        assert output.metrics["clip_high"] == pytest.approx(bounds["clip_high"])
        assert share / (1 - share) == pytest.approx(bounds["pos_neg_ratio"], rel=1e-6)


def test_every_method_of_the_golden_file_was_read():
    assert len(GOLDEN["expected"]) == 25
    assert {key.split("|")[0] for key in GOLDEN["expected"]} == {
        "bapo",
        "clip_higher",
        "dac",
        "grpo",
        "maspo",
        "sapo",
    }
