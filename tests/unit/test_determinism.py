"""What the number of threads does, and says."""

import os

import pytest
import torch

from maspo.determinism import make_deterministic


@pytest.fixture
def torch_as_before():
    threads, strict = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    yield
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
