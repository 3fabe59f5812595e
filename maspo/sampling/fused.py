"""A decoder for small policies on a CPU: few operations a step, of the layers that Qwen2 has.

With a policy of 0.15 M parameters a decoding step of transformers is mostly the price of many small
operations and of a cache that is copied to grow. Here the products of a layer with one input are
one product, and keys and values have their room from the start. `TransformersDecoder` is the
reference: a test compares the two token for token.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import embedding, linear, rms_norm, silu
from transformers import PreTrainedModel, Qwen2ForCausalLM

from maspo.errors import ConfigError
from maspo.sampling.decoder import TransformersDecoder


class FusedDecoder:
    """A `Decoder` of Qwen2 policies in float32 with full attention.

    Raises:
        ConfigError: another policy.
    """

    def __init__(self, policy: PreTrainedModel) -> None:
        if reason := _unlike(policy):
            raise ConfigError(
                f"sampler.decoder=fused knows Qwen2 policies in float32 with full attention, and "
                f"this one {reason}: set sampler.decoder=transformers"
            )
        config = policy.config
        self.policy: Any = policy
        self.heads, self.key_heads = config.num_attention_heads, config.num_key_value_heads
        self.layers = [_Layer(layer) for layer in self.policy.model.layers]
        self.size = self.policy.model.layers[0].self_attn.head_dim

    def read(self, ids: Tensor, mask: Tensor, owner: Tensor, room: int) -> Tensor:
        """See `Decoder.read`. The prompts are read by transformers."""
        reader = TransformersDecoder(self.policy)
        logits = reader.read(ids, mask, owner, room)
        rows, self.columns = reader.mask.shape
        length, pairs = self.columns + room, rows * self.key_heads
        self.keys, self.values = [], []
        layers: Any = reader.cache.layers
        for read in layers:  # laid out as the products of `_attend` read them
            keys = read.keys.new_empty(pairs, self.size, length)
            values = read.values.new_empty(pairs, length, self.size)
            keys[..., : self.columns] = read.keys.flatten(0, 1).transpose(1, 2)
            values[:, : self.columns] = read.values.flatten(0, 1)
            self.keys.append(keys)
            self.values.append(values)
        bias = torch.zeros(rows, length)
        bias[:, : self.columns].masked_fill_(reader.mask == 0, -torch.inf)
        self.bias = bias.repeat_interleave(self.key_heads, 0)[:, None]
        self.positions = reader.positions[:, 0]
        self.cos, self.sin = self._rotations(int(self.positions.max()) + room + 1)
        return logits

    def step(self, tokens: Tensor) -> Tensor:
        """See `Decoder.step`."""
        self.positions = self.positions + 1
        cos, sin = self.cos[self.positions], self.sin[self.positions]
        states = embedding(tokens, self.policy.model.embed_tokens.weight)
        for index, layer in enumerate(self.layers):
            attended = self._attend(index, self._norm(states, layer.norm), cos, sin)
            states = torch.addmm(states, attended, layer.out)
            gate, up = linear(self._norm(states, layer.mlp_norm), layer.gate_up).chunk(2, -1)
            states = torch.addmm(states, silu(gate) * up, layer.down)
        self.columns += 1
        return linear(self._norm(states, self.policy.model.norm.weight), self.policy.lm_head.weight)

    def keep(self, rows: Tensor) -> None:
        """See `Decoder.keep`."""
        flat = (rows[:, None] * self.key_heads + torch.arange(self.key_heads)).flatten()
        self.keys = [keys[flat] for keys in self.keys]
        self.values = [values[flat] for values in self.values]
        self.bias, self.positions = self.bias[flat], self.positions[rows]

    def _attend(self, index: int, states: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Return what a layer's attention reads for the newest token of each row, (B, H)."""
        layer, rows, end = self.layers[index], len(states), self.columns + 1
        mixed = linear(states, layer.mix, layer.mix_bias).view(rows, -1, self.size)
        turned, value = mixed.split([self.heads + self.key_heads, self.key_heads], 1)
        half = turned.roll(self.size // 2, -1)  # its sign is in `sin`
        turned = torch.addcmul(turned * cos, half, sin)
        query, key = turned.split([self.heads, self.key_heads], 1)
        keys, values = self.keys[index], self.values[index]
        keys[..., self.columns] = key.reshape(-1, self.size)
        values[:, self.columns] = value.reshape(-1, self.size)
        query = query.reshape(rows * self.key_heads, -1, self.size)
        scores = torch.baddbmm(self.bias[..., :end], query, keys[..., :end], alpha=self.size**-0.5)
        return torch.bmm(scores.softmax(-1), values[:, :end]).view(rows, -1)

    def _norm(self, states: Tensor, weight: Tensor) -> Tensor:
        config = self.policy.config
        return rms_norm(states, (config.hidden_size,), weight, config.rms_norm_eps)

    def _rotations(self, length: int) -> tuple[Tensor, Tensor]:
        """Return cosine and sine of the rotary positions, (length, 1, head size)."""
        angles = torch.arange(length)[:, None] * self.policy.model.rotary_emb.inv_freq
        cos = torch.cat([angles.cos(), angles.cos()], -1)
        sin = torch.cat([-angles.sin(), angles.sin()], -1)
        return cos[:, None], sin[:, None]


class _Layer:
    """The weights of one layer, those of one input side by side."""

    def __init__(self, layer: Any) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        inputs = (attention.q_proj, attention.k_proj, attention.v_proj)
        self.norm = layer.input_layernorm.weight
        self.mlp_norm = layer.post_attention_layernorm.weight
        self.mix = torch.cat([projection.weight for projection in inputs])
        self.mix_bias = torch.cat([projection.bias for projection in inputs])
        self.out, self.down = attention.o_proj.weight.T, mlp.down_proj.weight.T
        self.gate_up = torch.cat([mlp.gate_proj.weight, mlp.up_proj.weight])


def _unlike(policy: PreTrainedModel) -> str | None:
    """Return what about a policy is not as `FusedDecoder` computes it."""
    if not isinstance(policy, Qwen2ForCausalLM):
        return f"is a {type(policy).__name__}"
    if policy.dtype != torch.float32 or policy.device.type != "cpu":
        return f"is {policy.dtype} on {policy.device}"
    config = policy.config
    if set(config.layer_types) != {"full_attention"}:
        return f"has layers of {sorted(set(config.layer_types))}"
    rope = config.rope_parameters["rope_type"]
    if rope != "default" or config.hidden_act != "silu":
        return f"has rope_type={rope!r} and hidden_act={config.hidden_act!r}"
    return None
