"""The policy: a causal language model and its tokenizer, in Hugging Face format on disk."""

from unittest.mock import patch

# A tenth of a step's start: losses for object detection would load SciPy's optimisers. Those
# losses cannot be used in this process then.
with patch("transformers.utils.is_scipy_available", return_value=False):
    from transformers import PreTrainedModel  # noqa: F401

from maspo.policy.chunked import chunked_log_probs
from maspo.policy.log_probs import PaddedBatch, naive_log_probs, pad_batch, token_log_probs
from maspo.policy.micro_batches import micro_batched
from maspo.policy.model import (
    build_policy,
    check_device,
    end_tokens,
    load_policy,
    load_tokenizer,
    make_checkpoints,
    save_policy,
    training_mode,
)
from maspo.policy.pretrained import load_pretrained
from maspo.policy.tokenizer import (
    build_tokenizer,
    encode_prompts,
    encode_together,
    fitting_prompts,
)

__all__ = [
    "PaddedBatch",
    "build_policy",
    "build_tokenizer",
    "check_device",
    "chunked_log_probs",
    "encode_prompts",
    "encode_together",
    "end_tokens",
    "fitting_prompts",
    "load_policy",
    "load_pretrained",
    "load_tokenizer",
    "make_checkpoints",
    "micro_batched",
    "naive_log_probs",
    "pad_batch",
    "save_policy",
    "token_log_probs",
    "training_mode",
]
