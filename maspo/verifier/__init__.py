"""Grade a completion against a gold answer: one verdict for rewards and for evaluation.

Importing this package imports neither sympy nor math-verify nor torch.
"""

from maspo.verifier.extraction import DEFAULT_RULES, RULES, extract
from maspo.verifier.gold import gold_text
from maspo.verifier.pool import SandboxError
from maspo.verifier.verdict import Judgement, Verdict
from maspo.verifier.verifier import GRADER_VERSION, Verifier, grade, kept_verifier

__all__ = [
    "DEFAULT_RULES",
    "GRADER_VERSION",
    "RULES",
    "Judgement",
    "SandboxError",
    "Verdict",
    "Verifier",
    "extract",
    "gold_text",
    "grade",
    "kept_verifier",
]
