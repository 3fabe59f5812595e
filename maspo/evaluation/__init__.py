"""Evaluation: completions to records, records to metrics."""

from maspo.evaluation.metrics import avg_at_k, best_at_k, pass_at_k

__all__ = ["avg_at_k", "best_at_k", "pass_at_k"]
