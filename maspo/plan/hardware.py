"""What of a policy and of a card costs time and memory.

Cards: NVIDIA's data sheets of H100 SXM and H200 SXM (matrix rates without sparsity).
Architectures: config.json of the published policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BFLOAT16, FLOAT32 = 2, 4  # bytes of a number


@dataclass(frozen=True)
class Architecture:
    """What of a Qwen2 policy costs time and memory."""

    hidden: int
    layers: int
    heads: int
    kv_heads: int
    intermediate: int
    vocabulary: int
    head_width: int = 128
    tied: bool = False

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "Architecture":
        """Return the architecture that the fields of a `transformers.Qwen2Config` describe."""
        width = config["hidden_size"] // config["num_attention_heads"]
        return cls(
            config["hidden_size"],
            config["num_hidden_layers"],
            config["num_attention_heads"],
            config["num_key_value_heads"],
            config["intermediate_size"],
            config["vocab_size"],
            config.get("head_dim") or width,
            config["tie_word_embeddings"],
        )

    def fields(self) -> dict[str, Any]:
        """Return the fields of a `transformers.Qwen2Config` of this architecture; see `of`."""
        return {
            "hidden_size": self.hidden,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.kv_heads,
            "intermediate_size": self.intermediate,
            "vocab_size": self.vocabulary,
            "tie_word_embeddings": self.tied,
        }

    @property
    def layer_weights(self) -> int:
        """Matrix entries of all layers."""
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        attention = 2 * self.hidden * queries + 2 * self.hidden * keys
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    @property
    def head_weights(self) -> int:
        """Matrix entries of the language model head."""
        return self.hidden * self.vocabulary

    @property
    def parameters(self) -> int:
        """Everything: matrices, biases of queries, keys and values, norms, embedding."""
        biases = (self.heads + 2 * self.kv_heads) * self.head_width
        small = self.layers * (biases + 2 * self.hidden) + self.hidden
        return self.layer_weights + self.head_weights * (1 if self.tied else 2) + small

    @property
    def cache_bytes(self) -> int:
        """Key-value cache of one token in bfloat16."""
        return 2 * self.layers * self.kv_heads * self.head_width * BFLOAT16

    def layers_flops(self, context: float) -> float:
        """Of one token that sees `context` tokens, 2 a matrix entry, and attention; no head."""
        return 2 * self.layer_weights + 4 * self.layers * self.heads * self.head_width * context

    def forward_flops(self, context: float) -> float:
        """The same with the head."""
        return self.layers_flops(context) + 2 * self.head_weights

    def layer_activations(self, precision: str) -> int:
        """Bytes that one layer keeps for its backward pass, a token, without checkpointing.

        What transformers' Qwen2 layer keeps with an attention kernel that makes no matrix of
        scores, within a tenth (counted on a CPU: tests/unit/test_plan.py): two float32 vectors a
        norm, and its result, the attention's and the feed-forward part's in `precision`.
        """
        size = BFLOAT16 if precision == "bfloat16" else FLOAT32
        queries, keys = self.heads * self.head_width, self.kv_heads * self.head_width
        norms = 2 * (2 * FLOAT32 + size) * self.hidden
        attention = size * (4 * queries + 4 * keys)
        return norms + attention + 4 * size * self.intermediate


@dataclass(frozen=True)
class Card:
    """An accelerator."""

    flops: float  # a second, dense bfloat16
    bandwidth: float  # bytes a second
    memory: float  # bytes
    tf32: float = 494.7e12  # as `flops`, of float32 products with inputs rounded to 10 bits
    float32: float = 66.9e12


POLICIES = {
    "1.5B": Architecture(1536, 28, 12, 2, 8960, 151_936),
    "7B": Architecture(3584, 28, 28, 4, 18_944, 152_064),
    "14B": Architecture(5120, 48, 40, 8, 13_824, 152_064),
}
CARDS = {
    "H100": Card(989.4e12, 3.35e12, 80e9),
    "H200": Card(989.4e12, 4.8e12, 141e9),
}
