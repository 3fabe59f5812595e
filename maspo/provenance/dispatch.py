"""Variables of the environment that choose kernels, and so change the last bits of results.

They act in silence inside the libraries: ``ATEN_CPU_CAPABILITY=default``, say, takes PyTorch's
wide vector instructions away. Counts of threads are not among them: `threads` is a setting.
"""

import os

WORKSPACE = {"CUBLAS_WORKSPACE_CONFIG": ":4096:8"}  # what `maspo.determinism` sets
STARTS = (
    *("ATEN_CPU", "TORCH_ALLOW_", "TORCH_BLAS_", "TORCH_CUDNN_", "TORCH_MKLDNN_"),
    *("MKL_", "ONEDNN_", "DNNL_", "OPENBLAS_", "BLIS_", "NPY_", "OMP_", "KMP_", "GOMP_"),
    *("CUBLAS_", "CUDNN_", "NVIDIA_TF32_", "GLIBC_TUNABLES", "LD_PRELOAD"),
)


def dispatch_settings() -> dict[str, str]:
    """Return those that are set for this process, by name, without this package's own."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(STARTS)
        and not name.endswith("_THREADS")
        and WORKSPACE.get(name) != value
    }
