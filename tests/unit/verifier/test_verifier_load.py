"""Many verdicts with faults among them: all answered, none wrong, none lost.

`benchmarks/verifier.py` runs the same with 100,000.
"""

from collections import Counter

import pytest
from load_mix import mix

from maspo.verifier import Verdict, Verifier


@pytest.mark.slow
def test_faults_lose_nothing():
    items = mix(3000, seed=0, hangs=0.01, crashes=0.001)
    completions, golds, expected = zip(*items, strict=True)
    with Verifier(workers=2, cpu_seconds=0.3, faults=True) as verifier:
        verdicts = verifier.grade_many(completions, golds)
    missed = [(item, got) for item, got in zip(items, verdicts, strict=True) if item[2] != got]
    assert missed == []
    assert Counter(verdicts)[Verdict.TIMEOUT] == 30
    assert Counter(verdicts)[Verdict.ERROR] == 3
    assert len(verdicts) == len(expected)
