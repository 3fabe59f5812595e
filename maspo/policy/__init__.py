"""The policy: a causal language model and its tokenizer, in Hugging Face format on disk."""

from maspo.policy.log_probs import Packed, pack, token_log_probs
from maspo.policy.model import build_policy, load_policy, save_policy
from maspo.policy.tokenizer import build_tokenizer, encode_prompts

__all__ = [
    "Packed",
    "build_policy",
    "build_tokenizer",
    "encode_prompts",
    "load_policy",
    "pack",
    "save_policy",
    "token_log_probs",
]
