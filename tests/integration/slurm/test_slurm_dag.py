"""The smoke DAG through sbatch ends with the bytes of a local one."""

import json

import pytest

from project import Project

pytestmark = pytest.mark.workflow
FIGURE = "default/figures/smoke/avg_at_k.png"
TIMED = {"cost.csv"}  # tells seconds


def content(results):
    """Return the bytes of every result that is the same in every run, by its path."""
    patterns = ["*.parquet", "*/metrics.jsonl", "*.csv", "*.safetensors", "claims.json", "*.png"]
    files = [path for pattern in patterns for path in results.rglob(pattern)]
    return {
        str(path.relative_to(results)): path.read_bytes()
        for path in files
        if path.name not in TIMED and "usage" not in path.parts
    }


def hashes(results):
    """Return the SHA-256 of what each manifest says that its step wrote."""
    manifests = [json.loads(path.read_text()) for path in results.rglob("*manifest.json")]
    return {
        name: digest
        for manifest in manifests
        for name, digest in manifest["outputs"].items()
        if not any(word in name for word in ("timings", "cost."))
    }


@pytest.fixture(scope="module")
def runs(cluster, slurm_project, tmp_path_factory):
    """Run the DAG on Slurm and, but for most figures, locally; return both and the Slurm jobs."""
    local, remote = Project(tmp_path_factory.mktemp("local")), slurm_project("remote")
    local.snakemake("results/smoke/default/claims.json", f"results/smoke/{FIGURE}")
    remote.snakemake()
    return local, remote, cluster.jobs()


def test_every_step_was_a_job_that_asked_for_what_the_scale_says(runs):
    *_, jobs = runs
    steps = [job for job in jobs if job["JobState"] == "COMPLETED"]
    limits = [(job["MinMemoryNode"], job["TimeLimit"]) for job in steps]
    rules = [job["Comment"].split("_wildcards")[0] for job in steps]
    asked = dict(zip(rules, limits, strict=True))
    assert {"rule_data", "rule_base", "rule_train", "rule_evaluate", "rule_claims"} <= set(asked)
    assert asked["rule_data"] == ("2000M", "00:10:00")
    assert asked["rule_base"] == ("2000M", "00:30:00")
    assert not any("page_of" in rule for rule in asked)


def test_results_are_those_of_a_local_run(runs):
    local, remote, _ = runs
    expected, found = content(local.results), content(remote.results)
    drawn = {name for name in found if name.startswith("default/figures")}
    assert set(expected) == found.keys() - drawn | {FIGURE}
    assert [name for name in expected if found[name] != expected[name]] == []
    assert hashes(remote.results) == hashes(local.results)
    assert len(hashes(local.results)) > 20


def test_usage_of_every_job_is_in_one_table(runs):
    _, remote, _ = runs
    remote.snakemake("usage")
    lines = (remote.results / "usage.csv").read_text().splitlines()
    assert lines[0].startswith("rule,job,seconds,cpu_seconds,memory_mb,asked_mb")
    jobs = {tuple(line.split(",")[:2]) for line in lines[1:]}
    assert ("train", "maspo/seed_1") in jobs
    assert ("evaluate", "base/seed_1") in jobs
    assert "| train |" in (remote.results / "usage.md").read_text()


def test_audit_accepts_results_of_a_cluster(runs):
    _, remote, _ = runs
    remote.snakemake("audit", "--executor", "local", "--cores", "1")
    assert json.loads((remote.results / "audit" / "audit.json").read_text())["passed"]
