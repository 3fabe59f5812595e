"""Device slots: one job a device, all or none, free again after a crash."""

import os
import subprocess
import sys

import pytest

from maspo.config import as_dict, experiment_from, gpus, load_experiment
from maspo.devices import device_ids, devices, slots_folder
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
    with pytest.raises(ConfigError, match="needs 4 GPUs, but sees 3"), devices(4, folder=tmp_path):
        pass


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


def test_limits_of_jobs_are_checked_and_may_be_absent_from_an_old_manifest():
    raw = as_dict(load_experiment(["scale=gpu"]))
    assert raw["resources"]["train"] == {"minutes": 1440, "memory_gb": 64.0}
    del raw["resources"]
    assert experiment_from(raw).resources is None
    for wrong in ("train.minutes=0", "train.memory_gb=-1", "train.memory=1", "rest.minutes=1"):
        with pytest.raises(ConfigError, match="resources"):
            load_experiment([f"resources.{wrong}"])
