"""The checks of a first day on a GPU: they pass here on a CPU, and find what is broken."""

import shutil
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch

from maspo.devices import check_driver
from maspo.errors import ConfigError
from maspo.files import read_json
from maspo.gpu_check import CHECKS, Bench, check_host, evaluation, numerics, resume, training
from maspo.gpu_check.check import Check, Failed, expect, run_checks
from maspo.objectives import names
from maspo.sampling import Completion

GPU_ONLY = "attention by the flash kernel"


def command(*arguments, folder):
    step = [sys.executable, "-m", "maspo.steps.check_gpu", *arguments]
    return subprocess.run(step, cwd=folder, capture_output=True, text=True)


@pytest.mark.slow
def test_all_that_has_a_meaning_on_a_cpu_passes(tmp_path):
    done = command("--device", "cpu", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    report = read_json(tmp_path / "gpu_check.json")
    assert report["verdict"] == "passed"
    found = {check["name"]: check for check in report["checks"]}
    assert list(found) == [check.name for check in CHECKS]
    skipped = {name for name, check in found.items() if check["status"] == "skipped"}
    assert GPU_ONLY in skipped
    assert skipped <= {GPU_ONLY, "engine: start, sleep, new weights three times"}
    for name in skipped:
        assert found[name]["message"]
        assert f"skipped    0.0 s  {name}" in done.stdout
    assert found["every objective, forward and backward"]["measured"] == {
        "objectives": len(names())
    }
    assert 0 < found["a small evaluation"]["measured"]["host bytes a token"] < 100
    assert 0 < found["bfloat16 beside float32"]["measured"]["nats a token, mean"] < 0.02


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
@pytest.mark.slow
def test_without_a_gpu_it_cannot_run_and_says_so(tmp_path):
    done = command(folder=tmp_path)
    assert done.returncode == 2
    assert "cannot run: this step needs 1 GPUs" in done.stderr
    assert not (tmp_path / "gpu_check.json").exists()


def test_a_shorter_check_has_shorter_completions():
    assert Bench("cpu").experiment.task.max_completion_tokens == 48
    assert Bench("cpu", tokens=7).experiment.task.max_completion_tokens == 7
    assert Bench("cuda", tokens=96).experiment.task.max_completion_tokens == 96
    assert len(Bench("cpu").policy(1).model.layers) == 1
    assert len(Bench("cpu").policy(99).model.layers) == 2


def test_a_failure_ends_no_other_check():
    def wrong(bench):
        expect(1 + 1 == 3, "sums are off")

    def broken(bench):
        raise RuntimeError("cumsum_cuda_kernel does not have a deterministic implementation")

    checks = [
        Check("wrong", wrong, None, None),
        Check("broken", broken, None, None),
        Check("absent", wrong, None, "no_such_library"),
        Check("right", lambda bench: {"answer": 42}, None, None),
    ]
    found = list(run_checks(Bench("cpu"), checks))
    assert [outcome.status for outcome in found] == ["failed", "failed", "skipped", "passed"]
    assert found[0].message == "sums are off"
    assert "RuntimeError: cumsum_cuda_kernel" in found[1].message
    assert "in broken" in found[1].message
    assert found[2].message == "no_such_library is not installed"
    assert found[3].measured == {"answer": 42}


def test_a_draw_that_favours_a_token_is_found(monkeypatch):
    real = numerics.draw
    monkeypatch.setattr(numerics, "draw", lambda logits, u, how: real(logits, u * 0.9, how))
    with pytest.raises(Failed, match="frequencies"):
        numerics.draws.run(Bench("cpu"))


def test_log_probabilities_that_are_off_are_found(monkeypatch):
    real = numerics.chunked_log_probs
    monkeypatch.setattr(numerics, "chunked_log_probs", lambda h, w, *rest: real(h, w * 1.01, *rest))
    with pytest.raises(Failed, match="differences of"):
        numerics.chunks.run(Bench("cpu"))


def test_an_objective_with_infinite_gradients_is_found(monkeypatch):
    monkeypatch.setattr(
        numerics, "make", lambda name: lambda b: SimpleNamespace(loss=(b.log_prob / 0.0).sum())
    )
    with pytest.raises(Failed, match="no number"):
        numerics.objectives.run(Bench("cpu"))


def test_an_old_policy_that_rounds_otherwise_is_found(monkeypatch):
    run_old_policy = training.Trainer.run_old_policy

    def rounded(self, rollout):
        mini_batches, idle = run_old_policy(self, rollout)
        return [
            replace(mini_batch, old_log_prob=mini_batch.old_log_prob.bfloat16().float())
            for mini_batch in mini_batches
        ], idle

    monkeypatch.setattr(training.Trainer, "run_old_policy", rounded)
    with pytest.raises(Failed, match="first update has ratios from"):
        training.steps.run(Bench("cpu"))


@pytest.mark.slow
def test_a_checkpoint_without_the_moments_is_found(monkeypatch):
    def load(self, policy, optimizer):
        if not self.state.is_file():
            return 0
        state = torch.load(self.state)
        policy.load_state_dict(state["policy"])
        return state["step"]

    monkeypatch.setattr(resume.CheckpointFolder, "load", load)
    with pytest.raises(Failed, match="other bits after a resume"):
        resume.resume.run(Bench("cpu"))


def test_an_object_a_token_is_found(monkeypatch):
    """As completions were with one object of vLLM for each of their tokens."""

    class Heavy:
        def __init__(self, sampler):
            self.sampler = sampler

        def sample(self, *arguments):
            drawn = self.sampler.sample(*arguments)
            heavy = [[{"logprob": token, "rank": [token]} for token in c.tokens] for c in drawn]
            return [Completion(c.tokens, c.text, h) for c, h in zip(drawn, heavy, strict=True)]

    watched = evaluation.Watched
    monkeypatch.setattr(evaluation, "Watched", lambda sampler: watched(Heavy(sampler)))
    with pytest.raises(Failed, match="bytes of the host a token"):
        evaluation.evaluate.run(Bench("cpu"))


@pytest.fixture
def card(monkeypatch):
    """Pretend that there is a card."""
    card = SimpleNamespace(name="NVIDIA H100 80GB HBM3", total_memory=85e9)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: card)
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    return card


def test_a_machine_with_all_of_it_is_named(card):
    assert check_host("cuda") == {
        "torch": torch.__version__,
        "device": "cuda",
        "card": card.name,
        "memory": "85.0 GB",
        "compiler": "/usr/bin/cc",
    }


def test_a_small_card_and_a_missing_compiler_have_a_remedy(card, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ConfigError, match=r"no C compiler.*apt-get install gcc"):
        check_host("cuda")
    card.total_memory = 24e9
    with pytest.raises(ConfigError, match=r"24\.0 GB.*take a larger card"):
        check_host("cuda")


def test_a_driver_that_is_too_old_is_named(tmp_path):
    """torch only says that it finds no GPU."""
    file = tmp_path / "version"
    lines = (
        "NVRM version: NVIDIA UNIX x86_64 Kernel Module  570.86.15  Thu Jan 23 06:10:20 UTC 2025",
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build",
    )
    for line in lines:
        file.write_text(f"{line}\nGCC version:  gcc version 12.2.0\n")
        with pytest.raises(ConfigError, match=r"driver here is 570, and CUDA 13\.0.* needs 580"):
            check_driver(file, "13.0")
        check_driver(file, "12.6")
        file.write_text(line.replace("570", "580"))
        check_driver(file, "13.0")
    check_driver(tmp_path / "none", "13.0")
    check_driver(file, "")
