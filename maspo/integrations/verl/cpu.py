"""verl on a machine without an accelerator: a platform for tests and for trying things out.

    VERL_PLATFORM=cpu VERL_ENGINE_DEVICE=cuda VERL_USE_EXTERNAL_MODULES=maspo.integrations.verl.cpu

The module must be imported before verl first asks for its platform, so it is named in
`VERL_USE_EXTERNAL_MODULES`. `VERL_ENGINE_DEVICE=cuda` makes verl's engine registry return its FSDP
engine, which is written for any device of torch; it is registered for CUDA and NPU only.
"""

import types
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from importlib import metadata
from typing import Any

import torch
from verl.plugin.platform import PlatformBase
from verl.plugin.platform.platform_manager import PlatformRegistry
from wrapt import when_imported

from maspo.sampling.vllm_cpu import keep_weights

ENVIRONMENT = {
    "VERL_PLATFORM": "cpu",
    "VERL_ENGINE_DEVICE": "cuda",
    "VERL_USE_EXTERNAL_MODULES": "maspo.integrations.verl.cpu",
}
RESOURCE = "GPU"  # verl counts Ray's GPUs and NPUs only; ray.init(num_gpus=n) declares them


def _device_module() -> types.ModuleType:
    """Return torch.cpu with the memory calls that verl makes of torch.cuda."""
    module = types.ModuleType("maspo_cpu_device")
    module.__dict__.update(vars(torch.cpu))
    for name in ("max_memory_allocated", "max_memory_reserved", "memory_allocated"):
        setattr(module, name, lambda *_: 0)
    for name in ("memory_reserved", "reset_peak_memory_stats"):
        setattr(module, name, lambda *_: 0)
    for name in ("empty_cache", "ipc_collect", "manual_seed", "manual_seed_all"):
        setattr(module, name, lambda *_: None)
    module.mem_get_info = lambda *_: (0, 0)
    module.is_available = lambda: True
    module.get_device_name = lambda *_: "CPU"
    module.get_rng_state = lambda *_: torch.get_rng_state()
    module.set_rng_state = lambda state, *_: torch.set_rng_state(state)
    return module


@PlatformRegistry.register(platform="cpu")
class CpuPlatform(PlatformBase):
    """The processor as verl's device: gloo between processes, a declared resource in Ray."""

    device_name = "cpu"
    vendor_name = "cpu"
    device_module = _device_module()

    def is_available(self) -> bool:
        return True

    def is_platform_available(self, use_smi_check: bool = False) -> bool:
        return False  # never found by itself: VERL_PLATFORM=cpu asks for it

    def current_device(self) -> torch.device:
        return torch.device("cpu")  # verl calls tensor.to() with it; an index would mean CUDA

    def device_count(self) -> int:
        return 1

    def set_device(self, device_index: int) -> None:
        pass

    def synchronize(self, device_index: int | None = None) -> None:
        pass

    def manual_seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def manual_seed_all(self, seed: int) -> None:
        torch.manual_seed(seed)

    def set_allocator_settings(self, settings: str) -> None:
        pass

    def empty_cache(self) -> None:
        pass

    def get_device_capability(self, device_index: int = 0) -> tuple[None, None]:
        return None, None

    def communication_backend_name(self) -> str:
        return "gloo"

    def visible_devices_envvar(self) -> str:
        return "MASPO_VISIBLE_CPUS"

    @contextmanager
    def nvtx_range(self, msg: str) -> Iterator[None]:
        yield

    def profiler_start(self) -> None:
        pass

    def profiler_stop(self) -> None:
        pass

    def ray_resource_name(self) -> str:
        return RESOURCE

    def ray_noset_envvars(self) -> list[str]:
        return []

    def is_ipc_supported(self) -> bool:
        return False

    def cudart(self) -> Any:
        return None


def _single_backend() -> None:
    """Give verl's process groups the backend `gloo`.

    verl asks for `cpu:gloo,<device>:<backend>`, which names the CPU twice here: torch refuses it.
    """
    from verl.utils import distributed

    distributed.initialize_global_process_group_ray = partial(
        distributed.initialize_global_process_group_ray, backend="gloo"
    )


def _name_of_vllm() -> None:
    """Let verl find vLLM under the name that its build for CPUs is installed under."""
    real = metadata.version

    def version(name: str) -> str:
        try:
            return real(name)
        except metadata.PackageNotFoundError:
            if name != "vllm":
                raise
            return real("vllm-cpu") + "+cpu"  # as vLLM itself reads it

    metadata.version = version


_single_backend()
_name_of_vllm()
when_imported("vllm.model_executor.layers.utils")(keep_weights)
