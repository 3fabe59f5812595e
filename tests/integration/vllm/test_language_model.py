"""A real language model in the engine: its log-probabilities are the trainer's."""

import os

import pytest

from maspo.policy import load_policy, pad_batch, token_log_probs
from maspo.sampling import SamplingSettings

pytestmark = pytest.mark.skipif(
    "MASPO_LM" not in os.environ, reason="no language model is named by MASPO_LM: make test-vllm"
)
QUESTIONS = ("What is the capital of France?", "Tom has 3 pens and buys 4. How many has he?")
TOKENS, EACH = 16, 3


@pytest.fixture(scope="module")
def wide_policy():
    """Return the language model in place of the small policy of the other tests."""
    return load_policy(os.environ["MASPO_LM"])


@pytest.fixture(scope="module")
def context():
    return 128


def test_log_probabilities_are_the_trainers(wide_policy, engine):
    policy, tokenizer = wide_policy
    prompts = [
        tokenizer.apply_chat_template(
            [{"role": "user", "content": question}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=False,
        )
        for question in QUESTIONS
        for _ in range(EACH)
    ]
    drawn = engine.sample(prompts, range(len(prompts)), SamplingSettings(TOKENS))
    assert len({completion.text for completion in drawn}) > len(QUESTIONS)
    batch = pad_batch(prompts, [completion.tokens for completion in drawn], tokenizer.pad_token_id)
    scored, _ = token_log_probs(policy, batch, chunk=4096)
    gaps = [
        abs(ours - theirs)
        for row, completion in zip(scored.tolist(), drawn, strict=True)
        for ours, theirs in zip(row, completion.log_probs, strict=False)
    ]
    print(f"largest gap {max(gaps):.2e} nats over {len(gaps)} tokens")
    assert len(gaps) == int(batch.mask.sum())
    assert max(gaps) < 1e-3
