"""TRL on the CPU, or a skip that says how to get it."""

import os
from importlib.util import find_spec

import pytest

os.environ.update(HF_HUB_OFFLINE="1", TRL_EXPERIMENTAL_SILENCE="1")


class Skipped(pytest.Module):
    """A test module that is not imported, because what it tests is not installed."""

    def collect(self):
        pytest.skip("TRL is not installed here: make test-trl", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    if find_spec("trl") is None:
        return Skipped.from_parent(parent, path=module_path)
