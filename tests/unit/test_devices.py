"""Device slots: one job a device, all or none, free again after a crash."""

import os
import subprocess
import sys

import pytest
import torch

from maspo.config import as_dict, experiment_from, gpus, load_experiment
from maspo.devices import device_ids, devices, slots_folder, visible_ids
from maspo.errors import ConfigError, DeviceError

HOLDER = """
import sys
from pathlib import Path
from maspo.devices import devices
with devices(int(sys.argv[2]), folder=Path(sys.argv[1])) as taken:
    print(",".join(taken), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def hold(tmp_path):
    """Return a function that starts a process which holds devices until its input ends."""
    started = []

    def start(count=1):
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path), str(count)],
            env={**os.environ, "CUDA_VISIBLE_DEVICES": "4,GPU-5"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process:
            process.kill()


@pytest.mark.slow
def test_each_job_has_a_device_of_its_own_and_the_next_one_waits(hold):
    first, second = hold(), hold()
    taken = {process.stdout.readline().strip() for process in (first, second)}
    assert taken == {"4", "GPU-5"}
    third = hold()
    told = third.stderr.readline()
    assert told.startswith("waiting: 1 of the GPUs 4, GPU-5 are needed; taken: ")
    assert f"process {first.pid}" in told
    assert f"process {second.pid}" in told
    second.stdin.close()  # its job ends
    assert second.wait() == 0
    assert third.stdout.readline().strip() in taken


def test_device_of_a_killed_job_is_free_again(hold, tmp_path):
    victim = hold(2)
    assert victim.stdout.readline().strip() == "4,GPU-5"
    with (
        pytest.raises(DeviceError, match=f"4 by process {victim.pid}.*--resources gpu"),
        devices(1, ["4", "GPU-5"], tmp_path, patience=0),
    ):
        pass
    victim.kill()
    victim.wait()
    with devices(1, ["4", "GPU-5"], tmp_path, patience=0) as taken:
        assert taken == ["4"]


@pytest.mark.slow
def test_job_that_needs_two_devices_holds_none_while_it_waits(hold):
    first = hold()
    assert first.stdout.readline().strip() == "4"
    both = hold(2)
    assert both.stderr.readline().startswith("waiting: 2 of the GPUs")
    second = hold()  # may take the other one meanwhile
    assert second.stdout.readline().strip() == "GPU-5"
    for process in (first, second):
        process.stdin.close()
        assert process.wait() == 0
    assert both.stdout.readline().strip() == "4,GPU-5"


def test_cuda_sees_the_taken_devices_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,7,8")
    with devices(2, folder=tmp_path) as taken:
        assert taken == device_ids() == ["3", "7"]
    assert device_ids() == ["3", "7", "8"]
    few = r"needs 4 GPUs, but sees 3 \(3, 7, 8\) with CUDA_VISIBLE_DEVICES '3,7,8'"
    with pytest.raises(ConfigError, match=few), devices(4, folder=tmp_path):
        pass


MIG = "MIG-GPU-8932f937-d72c-4106-c12f-20bd9faed9f6/1/0"


@pytest.mark.parametrize(
    ("value", "ids"),
    [
        ("", []),
        ("-1", []),
        ("NoDevFiles", []),
        ("void", []),
        ("none", []),
        ("all", []),
        ("0,2,-1,1", ["0", "2"]),
        ("0,,1", ["0"]),
        ("0,void", ["0"]),
        (" 3 , 7 ", ["3", "7"]),
        ("+1,02", ["1", "2"]),
        ("1gpu2,2ampere", ["1", "2"]),
        ("0,1,0", []),
        ("1,01", []),
        ("GPU-8932f937,GPU-5", ["GPU-8932f937", "GPU-5"]),
        ("GPU-8932f937,GPU-8932f937", []),
        (f"{MIG},MIG-5", [MIG, "MIG-5"]),
        ("gpu-5", []),
    ],
)
def test_visible_devices_are_read_as_cuda_reads_them(value, ids, monkeypatch):
    assert visible_ids(value) == ids
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", value)
    assert torch.cuda._parse_visible_devices() == [int(i) if i.isdigit() else i for i in ids]
    assert device_ids() == ids


@pytest.mark.parametrize("name", [MIG, "MIG-../../outside"])
def test_slot_of_any_device_lies_in_its_folder(tmp_path, name):
    folder = tmp_path / "a" / "slots"
    with devices(1, [name], folder, patience=0) as taken:
        assert taken == [name]
        (slot,) = folder.iterdir()
        assert slot.read_text() == f"process {os.getpid()}"


def test_no_device_is_asked_for_where_none_is_used(tmp_path, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with devices(0, folder=tmp_path / "slots"):
        assert not (tmp_path / "slots").exists()


def test_slots_of_a_slurm_job_are_its_own(monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    local = slots_folder()
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    assert slots_folder() == local.with_name("17")


@pytest.mark.parametrize(
    ("overrides", "train", "evaluate"),
    [
        (["scale=mini"], 0, 0),
        (["scale=gpu"], 1, 1),
        (["scale=paper"], 8, 1),
        (["scale=paper", "engine.launcher=slurm"], 0, 1),
        (["scale=paper", "engine.launcher=ray"], 0, 1),
    ],
)
def test_gpus_of_a_step(overrides, train, evaluate):
    experiment = load_experiment(overrides)
    assert (gpus(experiment, "train"), gpus(experiment, "evaluate")) == (train, evaluate)
    assert gpus(experiment, "data") == gpus(experiment, "claims") == 0
    assert gpus(experiment, "base") == 0  # it is taken as it is


def test_a_base_policy_that_is_taught_computes_where_the_policy_is():
    assert gpus(load_experiment(["scale=smol", "model.device=cuda"]), "base") == 1
    assert gpus(load_experiment(["scale=smol"]), "base") == 0


def test_limits_of_jobs_are_checked_and_may_be_absent_from_an_old_manifest():
    raw = as_dict(load_experiment(["scale=gpu"]))
    assert raw["resources"]["train"] == {"minutes": 1440, "memory_gb": 64.0}
    del raw["resources"]
    assert experiment_from(raw).resources is None
    for wrong in ("train.minutes=0", "train.memory_gb=-1", "train.memory=1", "rest.minutes=1"):
        with pytest.raises(ConfigError, match="resources"):
            load_experiment([f"resources.{wrong}"])
