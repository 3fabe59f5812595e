"""What must be fixed for torch to give the same bits twice on one machine."""

import os
import sys

import torch


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
    torch.backends.cuda.matmul.allow_tf32 = tf32
    torch.manual_seed(0)  # a draw that escaped `derive_seed` is at least the same in every run
