"""The converted policy speaks, and its gradient is the same in parts as in one piece."""

import pytest
import torch

from maspo.policy import load_policy, make_checkpoints, micro_batched, pad_batch, token_log_probs

PLAIN = (
    "Water boils at one hundred degrees Celsius, the sun rises in the east, and the quick brown "
    "fox jumps over the lazy dog."
)
TEXTS = (" Paris.", " the city of Paris, on the river Seine.", " 42!", " Rome, I would say.")


@pytest.fixture(scope="module")
def loaded(folder):
    return load_policy(folder)


def cost(policy, tokenizer):
    """Return the mean negative log-likelihood of plain English, nats a token."""
    ids = tokenizer(PLAIN, return_tensors="pt").input_ids
    with torch.no_grad():
        return policy(ids, labels=ids).loss.item()


@pytest.mark.parametrize(
    ("question", "answer"),
    [("What is the capital of France?", "Paris"), ("What is 2+3? Give the number only.", "5")],
)
def test_the_policy_answers_through_its_chat_template(loaded, question, answer):
    policy, tokenizer = loaded
    prompt = tokenizer.apply_chat_template(
        [{"role": "user", "content": question}],
        add_generation_prompt=True,
        return_tensors="pt",
        return_dict=True,
    )
    drawn = policy.generate(**prompt, max_new_tokens=20, do_sample=False)[0]
    text = tokenizer.decode(drawn[prompt["input_ids"].shape[1] :])
    assert answer in text
    assert text.endswith("<|im_end|>")


def test_queries_and_keys_have_their_rows_in_the_order_of_transformers(loaded):
    """llama.cpp stores both halves of a head interleaved; unread so, English costs far more."""
    policy, tokenizer = loaded
    usual = cost(policy, tokenizer)
    assert usual < 3.6
    halves = policy.config.head_dim // 2
    weights = [
        weight
        for layer in policy.model.layers
        for weight in (layer.self_attn.q_proj.weight, layer.self_attn.k_proj.weight)
    ]
    kept = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight in weights:
            rows = weight.view(-1, 2, halves, weight.shape[1]).transpose(1, 2)
            weight.copy_(rows.reshape(weight.shape))
    interleaved = cost(policy, tokenizer)
    with torch.no_grad():
        for weight, before in zip(weights, kept, strict=True):
            weight.copy_(before)
    assert interleaved > usual + 0.5


def test_the_gradient_in_parts_is_that_of_the_whole(loaded):
    """Chunks of the vocabulary, micro-batches and checkpoints, with grouped-query attention."""
    policy, tokenizer = loaded
    prompts = [tokenizer("The capital of France is").input_ids, tokenizer("It is").input_ids]
    batch = pad_batch(
        [prompts[0], prompts[0], prompts[1], prompts[1]],
        tokenizer(list(TEXTS)).input_ids,
        tokenizer.pad_token_id,
    )
    advantages = torch.tensor([[1.0], [-0.5], [2.0], [-1.0]]) * batch.mask

    def gradient(chunk, tokens):
        policy.zero_grad()

        def score(part):
            return token_log_probs(policy, part, chunk=chunk)

        log_probs, _ = micro_batched(score, batch, tokens)
        (log_probs * advantages).sum().backward()
        found = torch.cat([p.grad.flatten() for p in policy.parameters()])
        policy.zero_grad()
        return log_probs.detach(), found

    whole, wanted = gradient(None, None)
    make_checkpoints(policy)
    policy.train()
    try:
        parts, found = gradient(4096, 24)
    finally:
        policy.gradient_checkpointing_disable()
        policy.eval()
    assert (whole[batch.mask] < 0).all()
    assert torch.allclose(parts, whole, atol=1e-4)
    assert (found - wanted).norm() < 1e-4 * wanted.norm()
