"""What a machine must have before anything can be checked on it."""

import shutil

import torch

from maspo.devices import check_driver
from maspo.errors import ConfigError
from maspo.policy import check_device

MEMORY = 75e9  # bytes; a card of 80 GB shows a little less


def check_host(device: str) -> dict[str, str]:
    """Return the names of what was found.

    Raises:
        ConfigError: driver, GPU, memory or compiler is missing; the message has the remedy.
    """
    found = {"torch": torch.__version__, "device": device}
    if device == "cpu":
        return found
    check_driver()
    check_device(device)
    card = torch.cuda.get_device_properties(0)
    found |= {"card": card.name, "memory": f"{card.total_memory / 1e9:.1f} GB"}
    if card.total_memory < MEMORY:
        raise ConfigError(
            f"{card.name} has {card.total_memory / 1e9:.1f} GB, and scale gpu is made for 80 GB: "
            "take a larger card, or `python -m maspo.steps.train --plan scale=gpu` for what a "
            "smaller policy needs (model.path=...)"
        )
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        raise ConfigError(
            "no C compiler (cc, gcc or clang) on PATH: Triton compiles the kernels of vLLM and of "
            "torch.compile with it. `apt-get install gcc`, or on a cluster `module load gcc`"
        )
    return found | {"compiler": compiler}
