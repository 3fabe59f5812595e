"""A real language model: `make test-lm` makes its folder and names it in MASPO_LM."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def folder():
    """Return the folder of the policy."""
    path = os.environ.get("MASPO_LM")
    if path is None:
        pytest.skip("no language model is named by MASPO_LM: make test-lm")
    return Path(path).resolve()
