"""What was downloaded is no pass: its pins are compared, the rest is told."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from maspo.audit.audit import Audit
from maspo.audit.downloads import check_downloads
from maspo.audit.finding import Severity
from maspo.config import as_dict, load_experiment

PIN = "534375d6bb8630d22ab46a56e11f2ffec1d288d8f7d04099bc82d68948705941"


def audited(inputs, *overrides):
    experiment = load_experiment(["scale=gpu", *overrides])
    settings = {**as_dict(experiment.model), "resolved_revision": "0" * 40}
    tree = SimpleNamespace(
        suites={"full": experiment},
        declared=[("grpo", 1), ("grpo", 2), ("maspo", 1)],
        base=lambda seed: Path("base/seed_0"),
        manifest=lambda folder: {"settings": settings},
        manifests={"data/manifest.json": {"inputs": inputs}},
        name=Path.as_posix,
    )
    return Audit(tree, {"downloads": list(check_downloads(tree))}, {"downloads": 0.0})


def test_downloaded_problems_and_weights_are_not_checked():
    audit = audited({"/cache/train.parquet": PIN, "/cache/test.parquet": "1" * 64})
    assert audit.outcome == "not checked in full"
    data, base = audit.of(Severity.NOT_CHECKED)
    assert (data.file, base.file) == ("data", "base/seed_0/policy")
    assert "BytedTsinghua-SIA/DAPO-Math-17k at 65877096" in data.found
    assert "python -m maspo.steps.data scale=gpu results=again" in data.expected
    assert f"at {'0' * 40}" in base.found
    assert "maspo.steps.base scale=gpu seed=1 results=again" in base.expected


@pytest.mark.parametrize("inputs", [{}, {"/cache/train.parquet": "2" * 64}])
def test_another_file_than_the_pinned_one_is_a_failure(inputs):
    (found,) = audited(inputs).failures
    assert (found.check, found.file) == ("downloads", "data/manifest.json")
    assert PIN in found.expected


def test_local_benchmarks_are_named():
    audit = audited({"train.parquet": PIN}, "task.benchmark_files=/data/benchmarks")
    assert audit.failures == []
    assert "/data/benchmarks" in audit.of(Severity.NOT_CHECKED)[0].found
