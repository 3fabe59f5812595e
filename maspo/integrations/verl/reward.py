"""The reward: our verifier behind verl's custom reward function.

reward.custom_reward_function.path=pkg://maspo.integrations.verl.reward
reward.custom_reward_function.name=compute_score
+reward.custom_reward_function.reward_kwargs.extraction='[boxed]'
"""

import random
from collections.abc import Sequence
from typing import Any

from maspo.verifier import DEFAULT_RULES, Verdict, gold_text, kept_verifier

# verl starts several reward workers (reward.num_workers), each with sandboxes of its own.
SANDBOXES = 2
_random = random.SystemRandom().random


def compute_score(
    data_source: str,
    solution_str: str,
    ground_truth: Any,
    extra_info: dict[str, Any] | None = None,
    extraction: Sequence[str] = DEFAULT_RULES,
    reward: str = "verifier",
    false_negatives: float = 0.0,
    false_positives: float = 0.0,
    **_: Any,
) -> dict[str, float]:
    """Grade one completion; the keys become metrics of verl's reward manager.

    `score` and `acc` are 1.0 for a correct answer, else 0.0; with `reward` "random", the control of
    the study of random rewards, `score` is a fair coin. Of correct answers the share
    `false_negatives` has a `score` of 0.0, of others the share `false_positives` one of 1.0.
    `no_answer`, `timeout` and `error` say why an answer did not count. A completion that hangs or
    crashes its sandbox gets `timeout` or `error` here; the reward worker lives on. verl calls this
    from several threads.

    Raises:
        DataError: the gold answer is missing or neither text, a number nor a list of those; the
            message has `data_source` and the row, verl's `extra_info["index"]`.
        ValueError: a rule of `extraction` or `reward` is unknown.
    """
    if reward not in ("verifier", "random"):
        raise ValueError(f"reward must be verifier or random, got {reward!r}")
    row = (extra_info or {}).get("index", "of unknown number")
    gold = gold_text(ground_truth, f"data_source {data_source}, row {row}")
    verifier = kept_verifier(tuple(extraction), SANDBOXES)
    verdict = verifier.grade_many([solution_str], [gold])[0]
    right = verdict is Verdict.CORRECT
    errs = _random() < (false_negatives if right else false_positives)
    reasons = (Verdict.NO_ANSWER, Verdict.TIMEOUT, Verdict.ERROR)
    return {
        "score": float(_random() < 0.5 if reward == "random" else right != errs),
        "acc": verdict.reward,
        **{reason.value: float(verdict is reason) for reason in reasons},
    }
