"""What torch refuses on a GPU under deterministic algorithms, refused on a CPU."""

from torch.utils._python_dispatch import TorchDispatchMode

# Of torch 2.13's list in the documentation of torch.use_deterministic_algorithms, the operations
# "that will throw a RuntimeError" and that a policy, a sampler or an objective could come to use.
REFUSED = {
    "cumsum": lambda input, *_: input.is_floating_point(),
    "cumsum_": lambda input, *_: input.is_floating_point(),
    "put_": lambda input, index, source, accumulate=False: accumulate,
    "histc": lambda *_: True,
    "bincount": lambda input, weights=None, minlength=0: weights is not None,
    "kthvalue": lambda *_: True,
    "median": lambda *_: True,
    "nll_loss2d_forward": lambda *_: True,
    "scatter_reduce": lambda *_: True,
    "scatter_reduce_": lambda *_: True,
}


class RefusedOnCuda(TorchDispatchMode):
    """Raise where a GPU would; backward passes within are watched too."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        name = function.overloadpacket.__name__
        refuse = REFUSED.get(name)
        if refuse and refuse(*args, **(kwargs or {})):
            raise RuntimeError(f"{name} does not have a deterministic implementation on a GPU")
        return function(*args, **(kwargs or {}))
