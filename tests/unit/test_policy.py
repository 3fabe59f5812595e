"""The policy: Hugging Face format on disk, and log-probabilities that do not depend on padding."""

import copy
import json

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

import maspo.policy.tokenizer as templates
from maspo.config import PretrainedModel
from maspo.errors import ConfigError, DataError
from maspo.policy import (
    build_policy,
    encode_prompts,
    load_policy,
    load_pretrained,
    pad_batch,
    token_log_probs,
)
from maspo.policy import save_policy as save
from maspo.tasks import Problem
from miniature import CHARACTERS

PROMPTS = [[5, 12, 9, 15], [2, 13, 3, 14, 4, 15], [6, 12, 6, 15]]
COMPLETIONS = [[3, 4, 1], [7, 7, 7, 7, 7, 1], [9]]


def reference(policy, prompt, completion, temperature=1.0):
    """Return log-probabilities and entropies of one sequence without any padding."""
    logits = policy(torch.tensor([prompt + completion])).logits[0].double() / temperature
    distribution = logits.log_softmax(-1)[len(prompt) - 1 : -1]
    tokens = torch.tensor(completion)[:, None]
    return distribution.gather(1, tokens)[:, 0], -(distribution.exp() * distribution).sum(-1)


def test_auto_classes_load_what_was_built(tmp_path, tiny_policy):
    policy, tokenizer = tiny_policy
    save(tmp_path / "policy", policy, tokenizer)
    loaded = AutoTokenizer.from_pretrained(tmp_path / "policy")
    assert type(loaded) is type(tokenizer)
    assert loaded.get_vocab() == tokenizer.get_vocab()
    assert len(loaded) == len(CHARACTERS) + 2 == policy.config.vocab_size
    assert loaded(CHARACTERS).input_ids == list(range(2, len(CHARACTERS) + 2))
    assert loaded.decode(loaded(CHARACTERS).input_ids) == CHARACTERS
    assert (loaded.pad_token_id, loaded.eos_token_id) == (0, 1)
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "policy")
    batch = pad_batch(PROMPTS, COMPLETIONS, 0)
    assert torch.equal(token_log_probs(model, batch)[0], token_log_probs(policy, batch)[0])


def test_code_of_a_model_folder_is_never_run(tmp_path, tiny_policy, monkeypatch):
    """Not even where somebody would say yes: a model of unknown type asks on stdin."""
    save(tmp_path / "policy", *tiny_policy)
    config = json.loads((tmp_path / "policy" / "config.json").read_text())
    config |= {"model_type": "own", "auto_map": {"AutoConfig": "own.Config"}}
    config["auto_map"]["AutoModelForCausalLM"] = "own.Model"
    (tmp_path / "policy" / "config.json").write_text(json.dumps(config))
    (tmp_path / "policy" / "own.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    monkeypatch.setattr("builtins.input", lambda *_: "yes")
    with pytest.raises(DataError, match="policy"):
        load_policy(tmp_path / "policy")
    own = PretrainedModel("pretrained", "float32", "cpu", str(tmp_path / "policy"), "main")
    with pytest.raises(DataError, match="policy"):
        load_pretrained(own)
    assert not (tmp_path / "ran").exists()


def test_a_chat_template_that_does_not_end_is_stopped(tiny_policy, monkeypatch):
    monkeypatch.setattr(templates, "TEMPLATE_SECONDS", 0.2)
    tokenizer = copy.copy(tiny_policy[1])
    loops = "".join(f"{{% for {name} in range(99999) %}}" for name in "abc")
    tokenizer.chat_template = loops + "{% endfor %}" * 3
    problem = Problem.create("k+3*5?", "m", "modular")
    with pytest.raises(DataError, match=r"chat template .* over 0\.2 s"):
        encode_prompts(tokenizer, [problem], 6)
    assert encode_prompts(tiny_policy[1], [problem], 6)  # and the clock is off again


def test_weights_depend_on_the_seed_and_nothing_else(tiny_policy):
    policy, tokenizer = tiny_policy
    from tests.conftest import ARCHITECTURE

    torch.manual_seed(99)
    state = torch.get_rng_state()
    again, other = (build_policy(ARCHITECTURE, tokenizer, seed) for seed in (3, 4))
    assert torch.equal(torch.get_rng_state(), state)
    for name, weight in policy.state_dict().items():
        assert torch.equal(weight, again.state_dict()[name])
    assert not torch.equal(policy.lm_head.weight, other.lm_head.weight)


def test_unknown_architecture_fields_are_refused(tiny_policy):
    with pytest.raises(ConfigError, match="hiden_size"):
        build_policy({"hiden_size": 8}, tiny_policy[1], 0)


def test_prompts_are_rendered_by_the_chat_template(tiny_policy):
    problem = Problem.create("k+3*5?", "m", "modular")
    assert encode_prompts(tiny_policy[1], [problem], 6) == [[22, 33, 5, 34, 7, 35]]
    with pytest.raises(DataError, match=problem.id):
        encode_prompts(tiny_policy[1], [problem], 5)


def test_pack_aligns_completions():
    batch = pad_batch(PROMPTS, COMPLETIONS, 0)
    assert batch.input_ids.shape == (3, 12)
    assert batch.mask.sum(1).tolist() == [3, 6, 1]
    assert batch.completions[0].tolist() == [3, 4, 1, 0, 0, 0]
    assert batch.input_ids[0].tolist() == [0, 0, 5, 12, 9, 15, 3, 4, 1, 0, 0, 0]
    assert batch.position_ids[0].tolist() == [0, 0, 0, 1, 2, 3, 4, 5, 6, 6, 6, 6]


@pytest.mark.parametrize("temperature", [1.0, 0.6])
def test_log_probs_and_entropy_equal_the_unpadded_ones(tiny_policy, temperature):
    policy, _ = tiny_policy
    log_prob, entropy = token_log_probs(
        policy, pad_batch(PROMPTS, COMPLETIONS, 0), temperature, entropy=True
    )
    assert torch.isfinite(log_prob).all()
    assert not entropy.requires_grad
    for row, (prompt, completion) in enumerate(zip(PROMPTS, COMPLETIONS, strict=True)):
        expected = reference(policy, prompt, completion, temperature)
        for ours, theirs in zip((log_prob, entropy), expected, strict=True):
            torch.testing.assert_close(
                ours[row, : len(completion)].double(), theirs, atol=2e-6, rtol=1e-5
            )


def test_gradient_equals_the_unpadded_one(tiny_policy):
    policy, _ = tiny_policy
    batch = pad_batch(PROMPTS, COMPLETIONS, 0)
    token_log_probs(policy, batch)[0][batch.mask].sum().backward()
    ours = {name: p.grad.clone() for name, p in policy.named_parameters()}
    policy.zero_grad()
    for prompt, completion in zip(PROMPTS, COMPLETIONS, strict=True):
        reference(policy, prompt, completion)[0].sum().backward()
    for name, parameter in policy.named_parameters():
        torch.testing.assert_close(ours[name], parameter.grad, atol=2e-5, rtol=1e-4)


def test_a_truncated_policy_is_named(tmp_path, tiny_policy):
    folder = tmp_path / "policy"
    with pytest.raises(DataError, match="policy"):
        load_policy(folder)
    save(folder, *tiny_policy)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(DataError, match="policy"):
        load_policy(folder)
