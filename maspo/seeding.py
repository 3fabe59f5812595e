"""Every random draw comes from a seed derived here: no global generator is ever read."""

import hashlib

import numpy as np


def derive_seed(*parts: int | str) -> int:
    """Return a 63-bit seed that depends on every part and on their order.

    A draw is named by what it is for, for example ``derive_seed(run_seed, "rollout", step)``, so
    a resumed run repeats the draws of the run that was killed without saving generator states.
    """
    name = "\x1f".join(f"{type(part).__name__}:{part}" for part in parts)
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little") >> 1


def numpy_generator(*parts: int | str) -> np.random.Generator:
    """Return a counter-based generator (Philox) seeded by `derive_seed`."""
    return np.random.Generator(np.random.Philox(derive_seed(*parts)))
