"""Avg@k, Pass@k and best@k, from counts of correct completions.

All three take, for each problem, c correct of n drawn completions, and return one value a
problem in [0, 1]; a benchmark's value is the mean over its problems.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def _counts(correct: ArrayLike, n: int, k: int) -> NDArray[np.int64]:
    counts = np.asarray(correct)
    if not np.issubdtype(counts.dtype, np.integer) or counts.size == 0:
        raise ValueError(f"correct={correct!r}: expected a non-empty array of whole numbers")
    if counts.min() < 0 or counts.max() > n:
        raise ValueError(f"correct={correct!r}: every count must be between 0 and n={n}")
    if not 1 <= k <= n:
        raise ValueError(f"k={k}: must be between 1 and n={n}")
    return counts.astype(np.int64)


def avg_at_k(correct: ArrayLike, n: int) -> NDArray[np.float64]:
    """Return c / n, the mean correctness over all k = n completions (the paper's Avg@32)."""
    return _counts(correct, n, n) / n


def pass_at_k(correct: ArrayLike, n: int, k: int) -> NDArray[np.float64]:
    """Return 1 - C(n - c, k) / C(n, k), the unbiased estimator of Chen et al. (2021).

    It is the probability that k completions drawn from the n without replacement hold a correct
    one; for k = n it is 1 where any was correct.
    """
    counts = _counts(correct, n, k)
    factors = 1.0 - k / np.arange(1, n + 1)  # C(n - c, k) / C(n, k) telescopes to a product
    keep = np.arange(1, n + 1) > (n - counts)[..., None]
    return 1.0 - np.where(keep, factors, 1.0).prod(axis=-1)


def best_at_k(correct: ArrayLike, n: int, k: int) -> NDArray[np.float64]:
    """Return 1 - (1 - c / n)^k: k draws WITH replacement, as the paper's framework computes it.

    It is what the paper's Pass@32 column very likely holds. It lies below `pass_at_k` for k = n.
    """
    return 1.0 - (1.0 - _counts(correct, n, k) / n) ** k
