"""Verifiers that tests share: starting a sandbox takes about a second."""

import pytest

from maspo.verifier import Verifier


@pytest.fixture(scope="session")
def verifier():
    """As in production, with a CPU limit (seconds) that keeps the hopeless cases short."""
    with Verifier(workers=2, cpu_seconds=1.5) as verifier:
        yield verifier


@pytest.fixture(scope="module")
def faulty():
    """A verifier whose sandboxes obey fault requests."""
    with Verifier(workers=2, cpu_seconds=0.5, memory_mb=400, faults=True) as verifier:
        yield verifier
