"""What the number of threads does, and says."""

import os

import pytest
import torch

from maspo.determinism import check_still_set, make_deterministic
from maspo.errors import ConfigError


@pytest.fixture
def torch_as_before():
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    precision = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(precision)
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(strict)


@pytest.mark.usefixtures("torch_as_before")
def test_more_threads_than_processors_are_told_of(monkeypatch, capsys):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    make_deterministic(2)
    assert capsys.readouterr().err == ""
    make_deterministic(3)
    assert "note: threads=3, and this machine has 2 processors" in capsys.readouterr().err
    assert torch.get_num_threads() == 3  # the bits are those of so many


@pytest.mark.usefixtures("torch_as_before")
@pytest.mark.parametrize("tf32", [True, False])
def test_what_a_library_changed_is_named(tf32):
    """vLLM's worker sets the first two of these in our process."""
    fixed = {"threads": 1, "tf32": tf32}
    for name, spoil in {
        "float32 matmul precision": lambda: torch.set_float32_matmul_precision(
            "highest" if tf32 else "high"
        ),
        "threads": lambda: torch.set_num_threads(2),
        "deterministic algorithms": lambda: torch.use_deterministic_algorithms(False),
    }.items():
        make_deterministic(**fixed)
        check_still_set(**fixed)
        spoil()
        with pytest.raises(ConfigError, match=name):
            check_still_set(**fixed)


@pytest.mark.usefixtures("torch_as_before")
def test_memory_is_not_filled_before_it_is_written():
    """A pass over a GPU's memory at every allocation, which deterministic algorithms turn on."""
    torch.utils.deterministic.fill_uninitialized_memory = True
    make_deterministic(1)
    assert not torch.utils.deterministic.fill_uninitialized_memory
