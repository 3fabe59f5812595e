"""From records to scores."""

import pandas as pd

from maspo.evaluation.metrics import avg_at_k, best_at_k, pass_at_k
from maspo.verifier import Verdict


def score(records: pd.DataFrame) -> pd.DataFrame:
    """Return one row a benchmark with avg_at_k, pass_at_k and best_at_k, k = n samples, in [0, 1].

    The mean over problems; `problems` and `samples` count what it is a mean of.

    Raises:
        ValueError: problems of one benchmark have different numbers of samples.
    """
    rows = []
    for benchmark, group in records.groupby("benchmark", sort=False):
        correct = (
            group["verdict"]
            .eq(Verdict.CORRECT.value)
            .groupby(group["problem"])
            .agg(["sum", "size"])
        )
        sizes = sorted(set(correct["size"]))
        if len(sizes) != 1:
            raise ValueError(
                f"benchmark {benchmark}: problems have {sizes} samples, not one number"
            )
        counts, n = correct["sum"].to_numpy(), int(sizes[0])
        rows.append(
            {
                "benchmark": benchmark,
                "problems": len(counts),
                "samples": n,
                "avg_at_k": avg_at_k(counts, n).mean(),
                "pass_at_k": pass_at_k(counts, n, n).mean(),
                "best_at_k": best_at_k(counts, n, n).mean(),
                "mean_tokens": group["tokens"].mean(),
                "no_answer": int(group["verdict"].eq(Verdict.NO_ANSWER.value).sum()),
                "timeout": int(group["verdict"].eq(Verdict.TIMEOUT.value).sum()),
                "error": int(group["verdict"].eq(Verdict.ERROR.value).sum()),
            }
        )
    return pd.DataFrame(rows)
