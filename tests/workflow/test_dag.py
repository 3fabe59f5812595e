"""The real DAG at scale smoke: built once, then questioned."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
from PIL import Image

from maspo.files import read_json, read_json_lines, sha256

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.workflow, pytest.mark.xdist_group("checkout")]
FIGURES = [
    *("smoke/training_dynamics", "smoke/avg_at_k", "smoke/pass_at_k", "smoke/gradient_use"),
    *("smoke/entropy_accuracy", "smoke/sample_efficiency", "claims", "trust_regions"),
    *("smoke/ratio_use", "smoke/training_path", "smoke/facts", "smoke/differences"),
]


def planned(output):
    """Return the number of jobs of each rule that a dry run plans."""
    stats = re.search(r"^job +count\n-+ +-+\n(.*?)\ntotal", output, re.MULTILINE | re.DOTALL)
    return {name: int(count) for name, count in map(str.split, stats[1].splitlines())}


def test_every_result_is_there_and_holds_numbers(project):
    tables, figures = project.results / "default/tables", project.results / "default/figures"
    means = pd.read_csv(tables / "smoke.csv")
    assert list(means.variant.unique()) == ["base", "grpo", "maspo"]
    assert means.avg_at_k.between(0, 1).all()
    assert len(means) == 3 * 7
    assert "| MASPO |" in (tables / "smoke.md").read_text()
    assert r"\bottomrule" in (tables / "smoke.tex").read_text()
    for name in FIGURES:
        with Image.open(figures / f"{name}.png") as image:
            assert min(image.size) > 300
            assert len(image.convert("L").resize((64, 64)).getcolors(4096)) > 10
        assert (figures / f"{name}.pdf").read_bytes().startswith(b"%PDF")


def test_table_equals_the_records(project):
    """The average of the table, recomputed from verdicts with pandas alone."""
    means = pd.read_csv(project.results / "default/tables/smoke.csv")
    for variant, seed in (("base", 1), ("grpo", 1), ("maspo", 1)):
        folder = project.results / "evaluation" / variant / f"seed_{seed}"
        records = pd.read_parquet(folder / "records.parquet")
        correct = (records.verdict == "correct").groupby(records.benchmark).mean()
        rows = means[means.variant == variant].set_index("benchmark").avg_at_k
        assert rows["average"] == pytest.approx(correct.mean())
        for benchmark, value in correct.items():
            assert rows[benchmark] == pytest.approx(value)


def test_manifests_name_every_file_by_its_hash(project):
    manifests = sorted(project.results.rglob("*manifest.json"))
    assert len(manifests) == 1 + 1 + 2 + 3 + 1 + 1
    for manifest in map(read_json, manifests):
        assert manifest["outputs"]
        for path, digest in {**manifest["inputs"], **manifest["outputs"]}.items():
            place = project.folder if path.startswith("configs/") else project.results
            assert sha256(place / path) == digest, path


def test_logs_hold_what_the_paper_plots(project):
    rows = read_json_lines(project.results / "runs" / "maspo" / "seed_1" / "metrics.jsonl")
    assert [row["step"] for row in rows] == list(range(1, 7))
    wanted = {"reward", "entropy", "ratio_mean", "ratio_max", "gated_fraction", "weight_mean"}
    wanted |= {"completion_length", "gradient_norm", "uniform_groups"}
    assert wanted <= set(rows[0])
    timings = read_json_lines(project.results / "runs" / "maspo" / "seed_1" / "timings.jsonl")
    assert {"sample", "verify", "update", "tokens_per_second"} <= set(timings[0])
    assert not (project.results / "checkpoints" / "maspo" / "seed_1").exists()


def test_planning_loads_no_torch(new_project):
    new_project.environment["PYTHONPROFILEIMPORTTIME"] = "1"
    imported = new_project.snakemake("--dry-run")
    assert "maspo.objectives.grpo" in imported
    assert "torch.nn" not in imported


def test_second_run_has_nothing_to_do(project):
    assert "Nothing to be done" in project.snakemake("--dry-run")


def test_snakemake_audit_is_a_target(project):
    assert ": audit of results/smoke\n" in project.snakemake("--dry-run", "audit")


def test_a_changed_alpha_reruns_maspo_and_nothing_else(project):
    project.edit("objective/maspo.yaml", "alpha: 0.3", "alpha: 0.4")
    try:
        output = project.snakemake("--dry-run")
    finally:
        project.edit("objective/maspo.yaml", "alpha: 0.4", "alpha: 0.3")
    jobs = planned(output)
    assert jobs["train"] == jobs["evaluate"] == jobs["table"] == 1
    assert not {"data", "base"} & set(jobs)
    assert ": train maspo, seed 1\n" in output
    assert ": train grpo" not in output


@pytest.mark.parametrize(
    ("config", "trained", "bases"),
    [
        (("scale=smoke", "seeds=3"), 4, 2),
        (("scale=smoke", "variants=maspo_alpha_0.5,grpo"), 1, 0),
        (("scale=smoke", "overrides=train.lr=1e-4"), 2, 0),
        (("scale=smoke", "overrides=evaluate.samples=5"), 0, 0),
    ],
)
@pytest.mark.slow
def test_only_what_changed_is_trained(project, config, trained, bases):
    jobs = planned(project.snakemake("--dry-run", config=config))
    assert jobs.get("train", 0) == trained
    assert jobs.get("base", 0) == bases
    assert "data" not in jobs


@pytest.mark.slow
def test_text_of_the_user_reaches_a_shell_line_as_it_is(project, monkeypatch):
    """Snakemake takes the quote at the end of a --config value away."""
    monkeypatch.setitem(project.environment, "SCRATCH", "/tmp/Größe")
    overrides = 'overrides=full={smoke:1} results="${oc.env:SCRATCH}/$HOME \'x"'
    plan = project.snakemake("--dry-run", "full", config=("scale=smoke", overrides))
    (command,) = (line for line in plan.splitlines() if "maspo.steps.table " in line)
    words = shlex.split(command)
    assert {"full={smoke:1}", "results=${oc.env:SCRATCH}/$HOME 'x"} <= set(words)
    assert "/tmp/Größe/$HOME 'x/logs/table/full/smoke.log" in words


@pytest.mark.slow
def test_claims_follow_the_manifest_of_a_step_that_was_run_by_hand(project):
    manifest = project.results / "evaluation" / "grpo" / "seed_1" / "manifest.json"
    content, times = manifest.read_text(), manifest.stat()
    manifest.write_text(content.replace('"finished": "2', '"finished": "3'))
    try:
        jobs = planned(project.snakemake("--dry-run"))
    finally:
        manifest.write_text(content)
        os.utime(manifest, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert jobs["claims"] == 1
    assert not {"train", "evaluate", "table"} & set(jobs)


@pytest.mark.slow
def test_tables_are_told_what_the_runs_were_trained_with(project):
    """Names of variants are relative to it, and the audit compares the manifests."""
    overrides = "overrides=train.lr=1e-4 resources.train.memory_gb=5"
    plan = project.snakemake("--dry-run", config=("scale=smoke", overrides))
    for step in ("table", "claims"):
        (command,) = (line for line in plan.splitlines() if f"maspo.steps.{step} " in line)
        assert "train.lr=1e-4" in command
        assert "memory_gb" not in command


@pytest.mark.parametrize(
    ("config", "named"),
    [
        (("sede=3",), ["sede", "seeds", "overrides"]),
        (("scale=smoke", "seeds=many"), ["many", "integer"]),
        (("scale=smoke", "variants=mapso"), ["mapso", "maspo"]),
        (("scale=smoke", "studies=gamma"), ["gamma", "alpha"]),
        (("scale=smoke", "overrides=results=/tmp/{x}"), ["results='/tmp/{x}'", "braces"]),
        (("threads=64",), ["threads", "overrides=train.lr=1e-4"]),
        (("scale=smoke", "overrides=full.smoke=3"), ["the suite default does not read full"]),
    ],
)
@pytest.mark.slow
def test_a_bad_setting_stops_before_any_job(new_project, config, named):
    output = refusal(new_project, config)
    assert [word for word in named if word not in output] == []


def test_a_mistyped_setting_stops_before_any_job(new_project):
    output = refusal(new_project, ("scale=smoke", "overrides=train.lrr=1"))
    assert "train.lrr" in output
    assert "lr_schedule" in output  # one of those there are


def refusal(new_project, config):
    """Return what Snakemake says of a setting that it refuses, with nothing started."""
    output = new_project.snakemake(config=config, check=False)
    assert not (new_project.folder / "results").exists()
    assert "Job stats" not in output
    return output


@pytest.mark.slow
def test_full_refuses_what_it_would_ignore(new_project):
    output = new_project.snakemake("full", config=("scale=smoke", "seeds=3"), check=False)
    assert not (new_project.folder / "results").exists()
    assert "the suite full does not read seeds" in output
    assert 'overrides="full.<study>=<seeds>"' in output


@pytest.mark.slow
def test_variants_of_the_command_line_have_a_suite_of_their_own(project):
    plan = project.snakemake("--dry-run", config=("scale=smoke", "variants=grpo,maspo"))
    jobs = planned(plan)
    assert not {"train", "evaluate"} & set(jobs)  # the runs are those of the study smoke
    assert ": claims of the suite custom\n" in plan
    assert "suite default" not in plan


@pytest.mark.slow
def test_a_killed_training_step_resumes_to_the_same_bits(project, tmp_path):
    """SIGKILL after the first checkpoint; a second start ends with the undisturbed run's bytes."""
    finished = project.results / "runs" / "maspo" / "seed_1"
    results = tmp_path / "results"
    for part in ("data", "base"):
        shutil.copytree(project.results / part, results / part)
    arguments = ("train", f"results={results}", "variant=maspo", "seed=1")
    checkpoint = results / "checkpoints" / "maspo" / "seed_1" / "checkpoint.pt"

    first = project.step(*arguments)
    while not checkpoint.exists():
        assert first.poll() is None, "the step ended before its first checkpoint"
        time.sleep(0.005)
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert not (results / "runs").exists()

    second = project.step(*arguments, stderr=subprocess.PIPE, text=True)
    _, log = second.communicate()
    assert second.returncode == 0, log
    assert "step 1/6" not in log
    assert "step 6/6" in log
    again = results / "runs" / "maspo" / "seed_1"
    assert (again / "metrics.jsonl").read_bytes() == (finished / "metrics.jsonl").read_bytes()
    assert sha256(again / "policy") == sha256(finished / "policy")


@pytest.mark.parametrize(
    ("damage", "step", "named"),
    [
        (
            "base/seed_1/policy/model.safetensors",
            ("train", "variant=maspo", "seed=1"),
            "base/seed_1/policy",
        ),
        ("data/train.parquet", ("train", "variant=maspo", "seed=1"), "train.parquet"),
        (
            "evaluation/grpo/seed_1/records.parquet",
            ("table", "tables_of=smoke"),
            "grpo/seed_1/records.parquet",
        ),
        (
            "runs/grpo/seed_1/policy/config.json",
            ("evaluate", "variant=grpo", "seed=1"),
            "runs/grpo/seed_1/policy",
        ),
    ],
)
@pytest.mark.slow
def test_a_truncated_input_is_named_and_harms_nothing(project, tmp_path, damage, step, named):
    results = tmp_path / "results"
    shutil.copytree(project.results, results)
    file = results / damage
    file.write_bytes(file.read_bytes()[:-30])
    before = {path: path.read_bytes() for path in results.rglob("*.*") if path.is_file()}
    process = project.step(*step, f"results={results}", stderr=subprocess.PIPE, text=True)
    _, log = process.communicate()
    assert process.returncode == 1
    assert named in log.splitlines()[-1]
    assert "Traceback" not in log
    assert all(path.read_bytes() == content for path, content in before.items())


def test_a_step_says_what_it_needs(project):
    process = project.step("train", "variant=maspo", stderr=subprocess.PIPE, text=True)
    _, log = process.communicate()
    assert process.returncode == 1
    assert log.strip() == "error: seed is missing: add seed=... to the command line"


@pytest.mark.parametrize("name", ["training_dynamics", "avg_at_k"])
@pytest.mark.slow
def test_a_figure_drawn_alone_is_that_of_the_dag(project, tmp_path, name):
    suite = project.results / "default"
    command = [sys.executable, ROOT / "figures" / f"{name}.py", "--tables", suite / "tables"]
    subprocess.run([*command, "--study", "smoke", "--output", tmp_path], check=True)
    original = suite / "figures" / "smoke" / f"{name}.png"
    assert (tmp_path / f"{name}.png").read_bytes() == original.read_bytes()


@pytest.mark.slow
def test_the_loop_in_plain_python_goes_the_way_of_the_run(project):
    """examples/one_step.py trains with the settings of the run: its first steps have its log."""
    command = [sys.executable, ROOT / "examples" / "one_step.py", project.results]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=project.folder)
    log = read_json_lines(project.results / "runs" / "maspo" / "seed_1" / "metrics.jsonl")
    assert done.stdout.splitlines() == [
        f"step {row['step']}: reward {row['reward']:.2f}, entropy {row['entropy']:.2f} nats"
        for row in log[:3]
    ]
