"""Which settings decide whether results are compared with the reference bit by bit."""

import json
from types import SimpleNamespace

from maspo.audit.reference import check_reference, known_then

USUAL = {"train": {"lr": 1.0, "cap": None}}


def test_a_setting_that_came_later_and_is_usual_does_not_count():
    theirs = {"train": {"lr": 2.0}, "dtype": "float32"}
    ours = {"train": {"lr": 2.0, "cap": None}, "dtype": "float32"}
    assert known_then(ours, theirs, USUAL) == theirs


def test_every_other_difference_counts():
    theirs = {"train": {"lr": 1.0}}
    for train in ({"lr": 1.0, "cap": 2.0}, {"lr": 1.0, "new": 1}, {"lr": 3.0, "cap": None}, {}):
        assert known_then({"train": train}, theirs, USUAL) != theirs


def manifest(seed, digest, scale="mini"):
    return {
        "manifest": f"runs/grpo/seed_{seed}/manifest.json",
        "step": "train",
        "experiment": {"scale": scale},
        "settings": {},
        "platform": {"machine": "m", "processor": "p", "python": "3"},
        "packages": {},
        "outputs": {f"runs/grpo/seed_{seed}/policy": digest},
    }


def test_of_several_references_the_one_with_most_of_these_runs_is_compared(tmp_path, monkeypatch):
    monkeypatch.setattr("maspo.audit.reference.PROJECT", tmp_path)
    kept = {"a": [(1, "0")], "b": [(1, "0"), (2, "2")], "other_scale": [(1, "1"), (2, "2")]}
    for name, runs in kept.items():
        folder = tmp_path / "reference" / name
        folder.mkdir(parents=True)
        lines = [json.dumps(manifest(*run, "gpu" if "_" in name else "mini")) for run in runs]
        (folder / "manifests.jsonl").write_text("\n".join(lines) + "\n")
    ours = {m["manifest"]: m for m in (manifest(1, "1"), manifest(2, "2"))}
    tree = SimpleNamespace(
        suites={"full": SimpleNamespace(scale="mini")}, manifests=ours, studies={}
    )
    (found,) = check_reference(tree)
    assert (found.file, found.expected) == (
        "runs/grpo/seed_1/policy",
        "SHA-256 0, on this platform",
    )
