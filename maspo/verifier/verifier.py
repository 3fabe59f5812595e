"""Grade completions: extract, compare exactly, and only then ask a sandbox."""

import atexit
import threading
from collections.abc import Sequence
from importlib.metadata import version

from maspo import __version__
from maspo.verifier import text
from maspo.verifier.exact import compare
from maspo.verifier.extraction import DEFAULT_RULES, check_rules, find
from maspo.verifier.pool import Pool
from maspo.verifier.verdict import Judgement, Verdict

GRADER_VERSION = f"maspo {__version__}, " + ", ".join(
    f"{package} {version(package)}" for package in ("math-verify", "latex2sympy2-extended", "sympy")
)
"""What graded, for provenance: rules and guards are this package's, grammar and algebra theirs."""


class Verifier:
    """Grades completions against gold answers; a context manager, safe to share by threads.

    Args:
        workers: sandboxes for expressions. They start when the first answer needs one.
        rules: names of extraction rules, tried in order.
        cpu_seconds: CPU time one comparison may take; then its verdict is `timeout`.
        memory_mb: resident MiB one sandbox child may hold; then the verdict is `error`.
        max_chars: longer extracted answers, in characters, are an `error`, not compared.
        faults: tests only: sandboxes obey the fault requests of `maspo.verifier.faults`.

    Raises:
        ValueError: an argument is out of range or a rule has an unknown name.
    """

    def __init__(
        self,
        workers: int = 2,
        rules: Sequence[str] = DEFAULT_RULES,
        cpu_seconds: float = 3.0,
        memory_mb: int = 1024,
        max_chars: int = 4000,
        *,
        faults: bool = False,
    ):
        limits = {"workers": workers, "cpu_seconds": cpu_seconds, "memory_mb": memory_mb}
        for name, value in {**limits, "max_chars": max_chars}.items():
            if value <= 0:
                raise ValueError(f"Verifier({name}={value}): must be positive")
        self.rules = check_rules(rules)
        self.max_chars = max_chars
        self._pool = Pool(**limits, faults=faults)

    def judge_many(self, completions: Sequence[str], golds: Sequence[str]) -> list[Judgement]:
        """One judgement a completion, in order.

        Raises:
            ValueError: the lengths differ, or a gold answer is empty.
            TypeError: a completion or gold answer is not a string.
            SandboxError: an expression has to be compared and no worker starts.
        """
        if len(completions) != len(golds):
            raise ValueError(
                f"grading {len(completions)} completions against {len(golds)} gold answers: "
                "give one gold answer per completion"
            )
        judgements: list[Judgement | None] = []
        open_pairs: dict[int, tuple[str, str]] = {}
        for index, (completion, gold) in enumerate(zip(completions, golds, strict=True)):
            judged = self._judge_fast(completion, gold, index)
            if isinstance(judged, Judgement):
                judgements.append(judged)
            else:
                answer, open_pairs[index] = judged
                judgements.append(Judgement(Verdict.ERROR, answer))
        if open_pairs:
            distinct = list(dict.fromkeys(open_pairs.values()))
            verdicts = dict(zip(distinct, self._pool.ask(distinct), strict=True))
            for index, pair in open_pairs.items():
                judgements[index] = judgements[index]._replace(verdict=verdicts[pair])
        return judgements

    def grade_many(self, completions: Sequence[str], golds: Sequence[str]) -> list[Verdict]:
        """One verdict a completion, in order; raises as `judge_many`."""
        return [judgement.verdict for judgement in self.judge_many(completions, golds)]

    def _judge_fast(
        self, completion: str, gold: str, index: int
    ) -> Judgement | tuple[str, tuple[str, str]]:
        """A judgement without sympy, or the answer and the cleaned pair to ask a sandbox."""
        for name, value in (("completion", completion), ("gold answer", gold)):
            if not isinstance(value, str):
                raise TypeError(f"{name} {index} is {value!r}: give a string")
        target = text.clean(gold)
        if not target:
            raise ValueError(f"gold answer {index} is {gold!r}: the data holds no answer there")
        found = find(completion, self.rules)
        if found is None:
            return Judgement(Verdict.NO_ANSWER, None)
        answer, rule = found
        if len(answer) > self.max_chars:
            return Judgement(Verdict.ERROR, answer[: self.max_chars])
        cleaned = text.clean(answer)
        equal = compare(cleaned, target)
        if equal is None and rule.symbolic:
            return answer, (cleaned, target)
        return Judgement(Verdict.CORRECT if equal else Verdict.WRONG, answer)

    @property
    def pids(self) -> list[int]:
        """Process ids of the sandboxes that run now; empty until an expression needed one."""
        return self._pool.pids

    def close(self) -> None:
        """Kill the sandboxes; a later call starts new ones. Idempotent."""
        self._pool.close()

    def __enter__(self) -> "Verifier":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


_kept: dict[tuple[tuple[str, ...], int], Verifier] = {}
_kept_lock = threading.Lock()


def kept_verifier(rules: Sequence[str] = DEFAULT_RULES, workers: int = 1) -> Verifier:
    """Return the verifier of these rules that this process keeps until it ends, from any thread.

    For callers that are called a completion at a time and never told that they are done, such as
    the rewards of other trainers. Who knows the end writes ``with Verifier(...)``.

    Raises:
        ValueError: as `Verifier`.
    """
    names = check_rules(rules)
    with _kept_lock:
        if (names, workers) not in _kept:
            _kept[names, workers] = Verifier(workers=workers, rules=names)
        return _kept[names, workers]


def grade(completion: str, gold: str, rules: Sequence[str] = DEFAULT_RULES) -> Verdict:
    """The verdict on one completion, by the `kept_verifier` of these rules.

    Raises:
        ValueError, TypeError, SandboxError: as `Verifier.judge_many`.
    """
    return kept_verifier(rules).grade_many([completion], [gold])[0]


@atexit.register
def _close_kept() -> None:
    for verifier in _kept.values():
        verifier.close()
    _kept.clear()
