"""Jobs that die, are cancelled or refused: what a user of a cluster meets."""

import shutil
import signal
import subprocess
import time

import psutil
import pytest

pytestmark = pytest.mark.workflow
LOCAL = ("--executor", "local", "--cores", "1")
RUN = "runs/grpo/seed_1"
LONGER = "overrides=train.steps=40 train.checkpoint_every=1"


def jobs_of(cluster, project, rule):
    """Return the jobs of a rule in a project, in the order of their ids."""
    ours = [job for job in cluster.jobs() if job["WorkDir"] == str(project.folder)]
    return [job for job in ours if job["Comment"].startswith(f"rule_{rule}")]


def step_process(project, step):
    """Return the running process of a step in a project, or None."""
    for process in psutil.process_iter():
        try:
            if process.cwd() == str(project.folder) and f"maspo.steps.{step}" in process.cmdline():
                return process
        except psutil.Error:
            continue
    return None


def wait_for(condition, running):
    """Return what `condition` returns once it is true; fail when `running` ends before."""
    while not (found := condition()):
        assert running.poll() is None, running.stdout.read()
        time.sleep(0.05)
    return found


def start(project, *arguments, **options):
    return subprocess.Popen(
        project.command(*arguments, **options),
        env=project.environment,
        cwd=project.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_job_that_dies_is_tried_again_with_more_memory(cluster, slurm_project):
    project = slurm_project("dies")
    running = start(project, "results/smoke/data/train.parquet")
    victim = wait_for(lambda: step_process(project, "data"), running)
    victim.send_signal(signal.SIGKILL)
    output, _ = running.communicate(timeout=300)
    assert running.returncode == 0, output
    jobs = jobs_of(cluster, project, "data")
    assert [job["JobState"] for job in jobs] == ["FAILED", "COMPLETED"]
    assert [job["MinMemoryNode"] for job in jobs] == ["2000M", "4000M"]


@pytest.fixture(scope="module")
def cancelled(cluster, slurm_project):
    """Train with two GPUs asked for, cancel the job between two checkpoints, run again."""
    config = ("scale=smoke", LONGER)
    project = slurm_project("cancelled")
    project.snakemake("results/smoke/base/seed_1/manifest.json", *LOCAL, config=config)
    target = f"results/smoke/{RUN}/metrics.jsonl"
    gpus = ("--set-resources", "train:gpu=2")
    running = start(project, target, "--retries", "0", *gpus, config=config)
    state = project.results / "checkpoints" / "grpo" / "seed_1" / "checkpoint.pt"
    wait_for(state.exists, running)
    time.sleep(1)
    (job,) = jobs_of(cluster, project, "train")
    cluster.command("scancel", job["JobId"])
    first, _ = running.communicate(timeout=300)
    assert running.returncode != 0
    project.snakemake(target, *gpus, config=config)
    return project, first


def test_cancelled_job_goes_on_from_its_checkpoint(cluster, cancelled, tmp_path):
    project, first = cancelled
    jobs = jobs_of(cluster, project, "train")
    assert [job["JobState"] for job in jobs] == ["CANCELLED", "COMPLETED"]
    assert "CANCELLED" in first
    log = (project.results / "logs" / "train" / "grpo" / "seed_1.log").read_text()
    lines = [line for line in log.splitlines() if " step " in line]
    steps = [int(line.split("step ")[1].split("/")[0]) for line in lines]
    assert steps[0] > 1
    assert steps[-1] == 40

    undisturbed = tmp_path / "results"
    for name in ("data", "base"):
        shutil.copytree(project.results / name, undisturbed / name)
    overrides = LONGER.removeprefix("overrides=").split()
    step = project.step("train", *overrides, f"results={undisturbed}", "variant=grpo", "seed=1")
    assert step.wait() == 0
    for name in ("policy/model.safetensors", "metrics.jsonl"):
        resumed, expected = project.results / RUN / name, undisturbed / RUN / name
        assert resumed.read_bytes() == expected.read_bytes()


def test_several_gpus_are_one_task(cluster, cancelled):
    project, _ = cancelled
    for job in jobs_of(cluster, project, "train"):
        assert job["TresPerJob"] == "gres:gpu:2"
        assert job["NumTasks"] == "1"


def test_gpus_by_gres(cluster, slurm_project):
    """As docs/cluster.md says for clusters that take --gres and not --gpus."""
    project = slurm_project("gres")
    gpus = ("--set-resources", "data:gpu=0", "data:gres=gpu:1")
    project.snakemake("results/smoke/data/train.parquet", *gpus, config=("scale=smoke",))
    (job,) = jobs_of(cluster, project, "data")
    assert job["TresPerNode"] == "gres:gpu:1"
    assert "TresPerJob" not in job


@pytest.mark.parametrize(
    ("resource", "reason", "advice"),
    [
        ("data:slurm_partition=nowhere", "invalid partition specified: nowhere", "sinfo -s"),
        ("data:mem_mb=100000000", "Memory specification can not be satisfied", "smaller mem_mb"),
        ("data:runtime=9999", "time limit", "lower runtime"),
        ("data:gpu=64", "Requested node configuration is not available", "less in set-resources"),
    ],
)
def test_refused_job_says_what_to_change(slurm_project, resource, reason, advice):
    project = slurm_project("refused")
    target = "results/smoke/data/train.parquet"
    output = project.snakemake(target, "--set-resources", resource, check=False)
    assert "did not complete successfully" in output
    assert reason in output
    assert "Slurm refused a job: " in output
    assert advice in output
    assert "profiles/slurm/config.yaml" in output
