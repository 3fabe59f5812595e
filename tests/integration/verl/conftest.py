"""verl on the CPU, or a skip that says how to get it."""

import os

import pytest

from needs import skip_without

# Read when verl is first imported, in this process and in those that it starts.
os.environ.update(
    VERL_PLATFORM="cpu",
    VERL_ENGINE_DEVICE="cuda",
    VERL_USE_EXTERNAL_MODULES="maspo.integrations.verl.cpu",
    HF_HUB_OFFLINE="1",
)


pytest_pycollect_makemodule = skip_without("verl", "make test-verl")


@pytest.fixture
def policy_folder(tiny_policy, tmp_path):
    """Return a folder in Hugging Face format with the tiny policy."""
    from maspo.policy import save_policy

    policy, tokenizer = tiny_policy
    save_policy(tmp_path / "policy", policy, tokenizer)
    return tmp_path / "policy"
