"""vLLM's build for CPUs, made to take new weights."""

import types

import torch


def keep_weights(layers: types.ModuleType) -> None:
    """Let vLLM's linear layers use their weights as they are.

    The build for CPUs packs them after loading and drops the originals, so weights that the
    trainer sends would have nowhere to go. `layers` is vllm.model_executor.layers.utils.
    """

    def plain(layer: torch.nn.Module, remove_weight: bool) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    layers.dispatch_cpu_unquantized_gemm = plain
