"""What must be fixed for torch to give the same bits twice on one machine."""

import os
import sys

import torch

from maspo.errors import ConfigError


def make_deterministic(threads: int, tf32: bool = False) -> None:
    """Fix the choice of kernels and the number of threads.

    The order of a parallel sum depends on the number of threads, so that number is a setting of
    the experiment and not a property of the machine. `tf32` lets a GPU round the inputs of float32
    matrix products to 10 bits, which is several times as fast; sums stay float32.

    More threads than processors give the same bits slowly: a note on standard error says so.
    """
    if threads > (processors := os.cpu_count() or threads):
        print(
            f"note: threads={threads}, and this machine has {processors} processors: the results "
            "are those of so many threads, but they come slowly",
            file=sys.stderr,
        )
    # cuBLAS is deterministic only with a workspace of fixed size, chosen before CUDA starts.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.use_deterministic_algorithms(True)
    # No kernel here reads memory that it did not write; filling it took a tenth of an RL step.
    torch.utils.deterministic.fill_uninitialized_memory = False
    torch.set_num_threads(threads)
    # By the function that vLLM's worker calls too: torch refuses a mix of its ways to say this.
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    torch.manual_seed(0)  # a draw that escaped `derive_seed` is at least the same in every run


def check_still_set(threads: int, tf32: bool = False) -> None:
    """Refuse to go on where a library has changed what `make_deterministic` fixed.

    vLLM's engine runs in this process and sets torch's precision and threads for itself; TF32
    lost that way costs hours of a run, and nothing else would tell.

    Raises:
        ConfigError: a setting of torch is not the one that was made; the message names it.
    """
    found = {
        "deterministic algorithms": (torch.are_deterministic_algorithms_enabled(), True),
        "float32 matmul precision": (
            torch.get_float32_matmul_precision(),
            "high" if tf32 else "highest",
        ),
        "threads": (torch.get_num_threads(), threads),
    }
    for name, (now, wanted) in found.items():
        if now != wanted:
            raise ConfigError(
                f"torch's {name}: {now!r}, where this run set {wanted!r}: a library that was "
                "loaded since has changed it (vLLM, as a rule; its version must be that of "
                "constraints/vllm-cuda.txt)"
            )
