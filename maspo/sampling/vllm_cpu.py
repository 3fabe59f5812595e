"""vLLM's build for CPUs: made to take new weights, and what it cannot do, said before it starts."""

import types

import torch
from transformers import PreTrainedConfig

from maspo.errors import ConfigError


def check_heads(config: PreTrainedConfig) -> None:
    """Refuse a policy that vLLM would only stop at in its first sampling.

    Raises:
        ConfigError: there is no kernel for attention heads of this size.
    """
    from vllm.v1.attention.backends.cpu_attn import CPUAttentionBackend

    known = CPUAttentionBackend.get_supported_head_sizes()
    size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    if size not in known:
        raise ConfigError(
            f"sampler.kind='vllm': the base policy has attention heads of {size} (hidden_size / "
            f"num_attention_heads), and vLLM on a CPU takes heads of {', '.join(map(str, known))}: "
            "make the base policy with model=mini_heads_32, or set sampler=transformers"
        )


def keep_weights(layers: types.ModuleType) -> None:
    """Let vLLM's linear layers use their weights as they are.

    The build for CPUs packs them after loading and drops the originals, so weights that the
    trainer sends would have nowhere to go. `layers` is vllm.model_executor.layers.utils.
    """

    def plain(layer: torch.nn.Module, remove_weight: bool) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    layers.dispatch_cpu_unquantized_gemm = plain
