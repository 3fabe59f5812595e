"""verl on the CPU, or a skip that says how to get it."""

import os
from importlib.util import find_spec

import pytest

# Read when verl is first imported, in this process and in those that it starts.
os.environ.update(
    VERL_PLATFORM="cpu",
    VERL_ENGINE_DEVICE="cuda",
    VERL_USE_EXTERNAL_MODULES="maspo.integrations.verl.cpu",
    HF_HUB_OFFLINE="1",
)


class Skipped(pytest.Module):
    """A test module that is not imported, because what it tests is not installed."""

    def collect(self):
        pytest.skip("verl is not installed here: make test-verl", allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    if find_spec("verl") is None:
        return Skipped.from_parent(parent, path=module_path)


@pytest.fixture
def policy_folder(tiny_policy, tmp_path):
    """Return a folder in Hugging Face format with the tiny policy."""
    from maspo.policy import save_policy

    policy, tokenizer = tiny_policy
    save_policy(tmp_path / "policy", policy, tokenizer)
    return tmp_path / "policy"
