"""Trackers repeat the log, change nothing, and end no run. Real ones where they are installed."""

import json
import sqlite3
import struct
from importlib.util import find_spec

import pytest
import torch
from test_training import trainer, weights

from maspo.errors import ConfigError
from maspo.files import read_json_lines
from maspo.training import trackers
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.log import TrainingLog
from maspo.training.trackers import Tracker, open_tracker

REWARDS = {1: 0.25, 2: 0.5, 3: 0.75}
NAMES = ("tensorboard", "wandb", "trackio")


def write(folder, tracker, steps=REWARDS, done=0):
    with TrainingLog(folder, "run", 3, done, tracker) as log:
        for step in steps:
            metrics = dict.fromkeys(("reward", "a", "b", "c"), REWARDS[step])
            log.write(step, {**metrics, "use": {"edges": [0, 1]}}, {"seconds": 2.0 * step})


@pytest.fixture
def told(monkeypatch):
    """Return what a tracker named `fake` was told; it fails at the step `told.fails`."""

    class Told(list):
        fails = None

    rows = Told()

    def send(step, numbers):
        if step == rows.fails:
            raise ConnectionError("nobody there")
        rows.append((step, numbers))

    def make(run):
        return send, lambda: rows.append("finished")

    monkeypatch.setitem(trackers.TRACKERS, "fake", make)
    return rows


@pytest.fixture
def fake(told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return lambda: open_tracker("fake", "project", "grpo", "seed_1", {})


def row(step):
    metrics = {f"train/{name}": REWARDS[step] for name in ("reward", "a", "b", "c")}
    return step, {**metrics, "timings/seconds": 2.0 * step}


def test_a_tracker_is_told_the_plain_numbers_of_each_step(told, fake, tmp_path):
    with fake() as tracker:
        write(tmp_path, tracker)
    assert told == [row(1), row(2), row(3), "finished"]


def test_a_run_that_goes_on_tells_what_was_before(told, fake, tmp_path):
    write(tmp_path, None, [1, 2])
    with fake() as tracker:
        write(tmp_path, tracker, [2, 3], done=1)  # the checkpoint is of step 1
    assert told == [row(1), row(2), row(3), "finished"]


def test_a_tracker_that_fails_is_switched_off(told, fake, tmp_path, capsys):
    told.fails = 2
    with fake() as tracker:
        write(tmp_path, tracker)
    assert told == [row(1)]
    assert len(read_json_lines(tmp_path / "metrics.jsonl")) == 3
    said = capsys.readouterr().err
    assert said.count("fake failed and is switched off (ConnectionError: nobody there)") == 1


def test_a_tracker_changes_no_bit(told, fake, tmp_path, tiny_policy, modular_problems):
    runs = []
    for name, fails in (("alone", None), ("followed", None), ("failing", 3)):
        told.fails = fails
        run = trainer(tiny_policy, modular_problems)
        tracker = Tracker("fake", *trackers.TRACKERS["fake"](None)) if name != "alone" else None
        run.train(CheckpointFolder(tmp_path / name, "x"), name, tracker)
        runs.append((weights(run), (tmp_path / name / "metrics.jsonl").read_bytes()))
    assert [step for step, _ in told] == [1, 2, 3, 4, 1, 2]
    for policy, log in runs[1:]:
        assert torch.equal(policy, runs[0][0])
        assert log == runs[0][1]


def test_bad_set_up_is_refused(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert open_tracker(None, "p", "g", "r", {}).__enter__() is None
    with pytest.raises(ConfigError, match="tracker 'excel' is unknown: valid are"):
        open_tracker("excel", "p", "g", "r", {})
    monkeypatch.setitem(trackers.TRACKERS, "fake", lambda run: __import__("no_such_package"))
    with pytest.raises(ConfigError, match=r"no_such_package.*pip install"):
        open_tracker("fake", "p", "g", "r", {})
    monkeypatch.chdir(tmp_path.parent)
    monkeypatch.setattr(trackers, "FOLDER", tmp_path / "file")
    (tmp_path / "file").write_text("where a folder should be")
    with pytest.raises(ConfigError, match=r"cannot start .*nothing was trained"):
        open_tracker("tensorboard", "p", "g", "r", {})


def read_tensorboard(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder / "tensorboard" / "grpo" / "seed_1")).Reload()
    scalars = events.Scalars("train/reward")
    assert "timings/seconds" in events.Tags()["scalars"]
    return {event.step: event.value for event in scalars}


def wandb_records(data):
    """Yield the messages of an offline run: LevelDB's log format behind a header of 7 bytes."""
    place, block, parts = 7, 32768, b""
    while place + 7 <= len(data):
        if block - place % block < 7:  # no header fits the rest of a block
            place += block - place % block
            continue
        size, kind = struct.unpack("<HB", data[place + 4 : place + 7])
        parts += data[place + 7 : place + 7 + size]
        place += 7 + size
        if kind in (1, 4):  # whole, or its last part
            yield parts
            parts = b""


def read_wandb(folder):
    from wandb.proto.wandb_internal_pb2 import Record

    (file,) = (folder / "wandb").glob("offline-run-*/run-*.wandb")
    found = {}
    for message in wandb_records(file.read_bytes()):
        history = Record.FromString(message).history
        items = {"/".join(i.nested_key) or i.key: i.value_json for i in history.item}
        if "train/reward" in items:
            found[history.step.num] = json.loads(items["train/reward"])
    return found


def read_trackio(folder):
    with sqlite3.connect(folder / "trackio" / "maspo.db") as database:
        rows = database.execute("SELECT step, metrics FROM metrics").fetchall()
    return {step: json.loads(metrics)["train/reward"] for step, metrics in rows}


@pytest.mark.parametrize("name", NAMES)
def test_a_real_tracker_keeps_the_numbers(name, tmp_path, monkeypatch):
    if find_spec(name) is None:  # trackio must not be imported yet: it reads its folder then
        pytest.skip(f"{name} is not installed")
    monkeypatch.chdir(tmp_path)
    for variable in ("WANDB_MODE", "WANDB_DIR", "WANDB_PROJECT", "TRACKIO_DIR"):
        monkeypatch.delenv(variable, raising=False)
    with open_tracker(name, "maspo", "grpo", "seed_1", {"lr": 1e-3}) as tracker:
        write(tmp_path, tracker)
    assert not tracker.failed
    readers = {"tensorboard": read_tensorboard, "wandb": read_wandb, "trackio": read_trackio}
    assert readers[name](tmp_path / "tracking" / "maspo") == REWARDS


def test_weights_and_biases_without_a_login_are_refused(tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("WANDB_MODE", "online")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    with pytest.raises(ConfigError, match=r"--track wandb cannot start .*login"):
        open_tracker("wandb", "maspo", "grpo", "seed_1", {})
