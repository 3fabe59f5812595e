"""The plan of a run on one GPU: counts what is there, and refuses what does not fit."""

import os
import re
import subprocess
import sys

import pytest
import torch
from transformers import Qwen2Config
from transformers.models.qwen2.modeling_qwen2 import Qwen2DecoderLayer, Qwen2RotaryEmbedding

from maspo.config import load_experiment
from maspo.errors import ConfigError
from maspo.plan import architecture_of, check_memory, describe
from maspo.plan.hardware import CARDS, POLICIES, Architecture
from maspo.plan.local import memory_phases, pass_tokens, phase_seconds
from maspo.policy import pad_batch, padding_free, save_policy
from maspo.steps.train_plan import check_machine, check_precision

GPU = load_experiment(["scale=gpu"])
SMALL = POLICIES["1.5B"]


def with_settings(*overrides):
    return load_experiment(["scale=gpu", *overrides])


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_activations_are_those_that_autograd_keeps(precision):
    """One layer of the 1.5B policy's shape at a sixth of its width; tables of places left out."""
    tokens = 97
    config = Qwen2Config(
        hidden_size=240,
        num_hidden_layers=1,
        num_attention_heads=12,
        num_key_value_heads=2,
        intermediate_size=1400,
        vocab_size=32,
    )
    config._attn_implementation = padding_free.NAME
    layer = Qwen2DecoderLayer(config, 0)
    row = pad_batch([[1] * 7], [[1] * (tokens - 7)], 0).row
    hidden = torch.randn(1, tokens, 240, requires_grad=True)
    places = Qwen2RotaryEmbedding(config)(hidden, torch.arange(tokens)[None])
    kept = {}  # the tensors themselves too, or a freed place would be counted once for two

    def keep(tensor):
        if tokens in tensor.shape:
            kept[tensor.untyped_storage().data_ptr()] = tensor
        return tensor

    with (
        torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"),
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
    ):
        output = layer(hidden, position_embeddings=places, row=row)
    assert output.shape == hidden.shape
    counted = tokens * Architecture.of(config.to_dict()).layer_activations(precision)
    found = sum(tensor.untyped_storage().nbytes() for tensor in kept.values())
    assert found == pytest.approx(counted, rel=0.1)


def test_memory_is_the_sum_a_reader_can_check():
    """1.777 billion parameters; 16 bytes of each in the update, 12 beside the engine."""
    phases = memory_phases(SMALL, GPU, 80e9)
    assert list(phases) == ["sampling", "forward pass", "backward pass"]
    for name in ("forward pass", "backward pass"):
        state = [phases[name][part] for part in list(phases[name])[:3]]
        assert sum(state) == pytest.approx(16 * 1.777e9, rel=1e-3)
        assert phases[name]["one state a layer, float32"] == 28 * 16_384 * 1536 * 4
        assert phases[name]["old policy's scores of the batch"] == 1024 * 8192 * 17
    assert phases["forward pass"]["logits"] == 2 * 16_384 * 4096 * 4
    # 132 multiprocessors over one row's 12 heads: 11 sums of the queries' gradient, and keys' and
    # values' for each of the 12.
    assert phases["backward pass"]["attention's sums, backward"] == 16_384 * 1536 * (11 * 4 + 2 * 2)
    share = GPU.sampler.memory_share
    assert sum(phases["sampling"].values()) == pytest.approx(12 * 1.777e9 + share * 80e9, rel=1e-3)


def test_only_what_is_alive_together_is_added():
    """Copies of the weights end with the forward pass, unless a graph holds them."""
    copies = "bfloat16 copies of the layers' matrices"
    phases = memory_phases(SMALL, GPU, 80e9)
    assert copies in phases["forward pass"]
    assert copies not in phases["backward pass"]
    assert "logits" not in phases["backward pass"]  # the layers need more than the head
    whole = memory_phases(SMALL, with_settings("train.gradient_checkpointing=false"), 80e9)
    assert copies in whole["backward pass"]
    naive = with_settings("train.logits_chunk=null", "train.precision=float32")
    assert "logits" in memory_phases(SMALL, naive, 80e9)["backward pass"]


def test_each_setting_saves_what_it_is_for():
    def update(*overrides):
        phases = memory_phases(SMALL, with_settings(*overrides), 80e9)
        return max(sum(parts.values()) for name, parts in phases.items() if name != "sampling")

    base = update()
    assert update("train.gradient_checkpointing=false") > base + 40e9
    assert update("train.micro_batch_tokens=10240") < base
    assert update("train.micro_batch_tokens=null") > base + 100e9
    assert update("train.logits_chunk=null", "train.precision=float32") > base + 20e9
    assert update("sampler.sleep=false") > base + 40e9
    assert pass_tokens(GPU) == 16_384
    assert pass_tokens(with_settings("train.micro_batch_tokens=100")) == 10_240  # one row
    assert pass_tokens(with_settings("train.micro_batch_tokens=null")) == 64 * 10_240


def test_what_is_made_again_costs_time():
    def update(*overrides):
        return phase_seconds(SMALL, CARDS["H100"], with_settings(*overrides))["update"]

    forward = phase_seconds(SMALL, CARDS["H100"], GPU)["old log-probabilities"]
    assert update() - update("train.micro_batch_tokens=null") == pytest.approx(forward)
    assert 0 < update() - update("train.gradient_checkpointing=false") < forward
    assert update("train.precision=float32") > 7 * update()


def test_a_run_that_does_not_fit_is_refused_with_what_to_change():
    for card in CARDS.values():
        check_memory(SMALL, GPU, card.memory)
    with pytest.raises(ConfigError, match=r"pass needs about .* 30\.0 GB.*micro_batch_tokens"):
        check_memory(SMALL, with_settings("sampler.memory_share=0.05"), 30e9)
    with pytest.raises(ConfigError, match=r"sampling needs about .*sampler\.memory_share"):
        check_memory(SMALL, with_settings("sampler.memory_share=0.9"), 80e9)
    with pytest.raises(ConfigError, match=r"larger GPU, a smaller policy, or scale=paper"):
        check_memory(POLICIES["14B"], GPU, 141e9)
    assert "DOES NOT FIT" in describe(POLICIES["7B"], GPU)


def test_the_architecture_is_read_or_known(tmp_path, tiny_policy):
    policy, tokenizer = tiny_policy
    save_policy(tmp_path / "policy", policy, tokenizer)
    count = sum(parameter.numel() for parameter in policy.parameters())
    assert architecture_of(GPU, tmp_path / "policy").parameters == count
    local = with_settings(f"model.path={tmp_path / 'policy'}")
    assert architecture_of(local, tmp_path / "none").parameters == count
    assert architecture_of(GPU, tmp_path / "none") == SMALL
    mini = load_experiment(["scale=mini"])
    assert 0.1e6 < architecture_of(mini, tmp_path / "none").parameters < 0.2e6
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match=r"model\.path='.*empty'.*no config\.json there"):
        architecture_of(with_settings(f"model.path={tmp_path / 'empty'}"), tmp_path / "none")


def step(*arguments, **environment):
    command = [sys.executable, "-m", "maspo.steps.train", *arguments]
    environment = os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, env=environment)


@pytest.mark.slow
def test_a_policy_of_the_hub_is_planned_from_its_config(tmp_path, tiny_policy):
    """As the hub's client keeps it: one file of one commit."""
    policy, _ = tiny_policy
    commit = "0123456789" * 4
    folder = tmp_path / "hub" / "models--somebody--small"
    policy.config.save_pretrained(folder / "snapshots" / commit)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(commit)
    offline = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"}
    settings = ["scale=gpu", "model.path=somebody/small", "--plan"]
    found = step(*settings, "model.revision=main", **offline)
    count = sum(parameter.numel() for parameter in policy.parameters())
    assert f"Policy: {count / 1e6:,.2f} million parameters" in found.stdout, found.stderr
    refused = step(*settings, **offline)  # with the revision of the scale's own policy
    assert refused.returncode == 1
    assert "another id than the scale's has another revision (main" in refused.stderr


def test_a_plan_for_a_cpu_names_no_card_and_no_time():
    text = describe(SMALL, with_settings("model.device=cpu"))
    assert "memory of the backward pass: 37.4 GB\n" in text
    assert "Time is not predicted" in text
    assert "hours" not in text
    assert "H100, " not in text
    mini = load_experiment(["scale=mini"])
    assert re.search(r"\d MB  weights, float32", describe(architecture_of(mini), mini))


def test_the_plan_takes_the_sampler_that_messages_name():
    text = describe(SMALL, with_settings("sampler=transformers"))
    assert "keys and values, float32" in text
    assert "DOES NOT FIT" in text
    assert "DOES NOT FIT" not in describe(SMALL, with_settings("sampler=transformers_1_5b"))


@pytest.mark.slow
def test_help_tells_what_else_the_step_does():
    found = step("--help").stdout
    for text in ("--plan", "--print-command", "start nothing", "overrides"):
        assert text in found
    both = step("--plan", "--print-command")
    assert both.returncode == 2
    assert "not allowed with" in both.stderr


@pytest.mark.slow
def test_the_step_prints_the_plan_and_starts_nothing(tmp_path):
    found = step("scale=gpu", f"results={tmp_path / 'results'}", "--plan")
    assert found.returncode == 0
    assert "Arithmetic, not measurement" in found.stdout
    assert found.stdout.count(" hours") == 2
    assert not (tmp_path / "results").exists()
    refused = step("scale=paper", "--plan")
    assert refused.returncode == 1
    assert "engine=local" in refused.stderr


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
@pytest.mark.slow
def test_scale_gpu_without_a_gpu_stops_before_anything_is_written(tmp_path):
    found = step("scale=gpu", f"results={tmp_path / 'results'}", "variant=maspo", "seed=1")
    assert found.returncode == 1
    assert "needs 1 GPUs, but sees 0" in found.stderr
    assert "scale=mini needs none" in found.stderr
    assert not (tmp_path / "results").exists()


def test_float32_attention_over_long_contexts_is_refused_on_a_gpu(monkeypatch):
    """torch would take its plain attention, silently, with all scores in memory."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with pytest.raises(ConfigError, match=r"10,240 tokens.*set train\.precision=bfloat16"):
        check_machine(with_settings("train.precision=float32"))
    check_precision(with_settings("train.precision=bfloat16"))
    check_precision(load_experiment(["scale=mini", "model.device=cuda"]))


def test_weights_that_lose_small_updates_are_refused():
    with pytest.raises(ConfigError, match=r"model\.dtype='bfloat16'.*train\.precision=bfloat16"):
        check_machine(load_experiment(["scale=mini", "model.dtype=bfloat16"]))
