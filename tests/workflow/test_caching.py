"""What is paid for again: by another checkout, after an edit, after another version."""

import shutil

import pytest
from test_dag import ROOT, planned

from maspo import __version__
from maspo.files import sha256

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.xdist_group("checkout")]


@pytest.fixture
def plan(project, tmp_path):
    """Return what is planned after the finished DAG by a copy of the checkout with an edit."""

    def dry_run(file, old, new):
        for name in ("maspo", "workflow", "profiles", "figures"):
            shutil.copytree(ROOT / name, tmp_path / name)
        for name in ("Snakefile", "environment.yml"):
            shutil.copy(ROOT / name, tmp_path)
        source = tmp_path / file
        text = source.read_text()
        assert old in text
        source.write_text(text.replace(old, new, 1))
        place_checkout(project, tmp_path)
        return project.snakemake("--dry-run")

    yield dry_run
    place_checkout(project, ROOT)


def place_checkout(project, folder):
    """Let the project's checkout, a link, be another one at the same path."""
    project.checkout.unlink()
    project.checkout.symlink_to(folder)


BASE_POLICY = "base/seed_1/policy"
STEPS = {"data": 1, "base": 1, "train": 2, "evaluate": 2, "evaluate_base": 1}
STEPS |= {"table": 1, "claims": 1, "figure_trust_regions": 1}


def test_another_comment_reruns_no_step(plan):
    """In the RL loop, which every run has gone through."""
    assert "Nothing to be done" in plan("maspo/training/loop.py", "import", "# A remark.\nimport")


def test_another_version_reruns_every_step_and_draws_the_objectives_again(plan):
    jobs = planned(plan("maspo/__init__.py", f'"{__version__}"', '"99.0.0"'))
    assert {name: jobs[name] for name in STEPS} == STEPS


def test_runs_of_verl_follow_how_it_computes_and_not_where_it_runs(project, new_project):
    """The runs of the local engine stand in for its own: they are declared to be up to date."""
    skipped = shutil.ignore_patterns("snapshots", ".snakemake*")
    shutil.copytree(project.results, new_project.results, ignore=skipped)
    run = new_project.results / "runs" / "grpo" / "seed_1" / "manifest.json"
    unread = "train.lr_schedule=constant train.min_lr_ratio=0 train.snapshots=[]"
    unread += " train.precision=null train.gradient_checkpointing=null train.rollouts_mb=null"
    verl = f"overrides=engine=verl {unread}"

    def plan(*options, more=""):
        arguments = (*options, str(run.relative_to(new_project.folder)))
        return new_project.snakemake(*arguments, config=("scale=smoke", verl + more))

    plan("--touch", "--force")
    new_project.edit("engine/verl.yaml", "7-00:00:00", "1-00:00:00")
    elsewhere = " engine.launcher=ray +engine.slurm.comment='two words'"
    assert "Nothing to be done" in plan("--dry-run", more=elsewhere)
    new_project.edit("engine/verl.yaml", "rollout_memory: 0.6", "rollout_memory: 0.5")
    output = plan("--dry-run", more=elsewhere)
    assert planned(output)["train"] == 1
    assert "engine.launcher=ray '+engine.slurm.comment=two words'" in output


def test_a_tracker_reruns_nothing_and_reaches_the_step(project):
    config = ("scale=smoke", "track=tensorboard")
    assert "Nothing to be done" in project.snakemake("--dry-run", config=config)
    output = project.snakemake("--dry-run", "--forcerun", "train", config=config)
    assert "--track=tensorboard" in output


def test_a_second_checkout_takes_data_and_base_policy_from_the_cache(
    project, new_project, tmp_path_factory, tmp_path
):
    cache = tmp_path / "cache"
    cache.mkdir()
    new_project.environment["SNAKEMAKE_OUTPUT_CACHE"] = str(cache)
    until_base = ("--cache", "--until", "base")
    assert "maspo.steps.base" in new_project.snakemake(*until_base)

    second = type(new_project)(tmp_path_factory.mktemp("second"))
    second.environment["SNAKEMAKE_OUTPUT_CACHE"] = str(cache)
    second.snakemake(*until_base)
    for part in ("data/train.parquet", "data/benchmarks", BASE_POLICY, "base/seed_1/metrics.jsonl"):
        for checkout in (new_project, second):
            assert sha256(checkout.results / part) == sha256(project.results / part), part
    # No step ran: the manifest, which tells seconds and dates, is the first checkout's.
    for part in ("data", "base/seed_1"):
        first = (new_project.results / part / "manifest.json").read_bytes()
        assert (second.results / part / "manifest.json").read_bytes() == first
        assert (second.results / "logs" / f"{part}.log").stat().st_size == 0

    # A damaged entry is named by the step that reads it; deleted, it is made again.
    third = type(new_project)(tmp_path_factory.mktemp("third"))
    third.environment["SNAKEMAKE_OUTPUT_CACHE"] = str(cache)
    (entry,) = cache.glob("*_all.parquet")
    entry.write_bytes(entry.read_bytes()[:-30])
    for of_base in [path for path in cache.iterdir() if "_policy" in path.name]:
        shutil.rmtree(of_base)
    output = third.snakemake(*until_base, check=False)
    assert "data/all.parquet" in output
    assert "error: " in output
    assert not (third.results / BASE_POLICY).exists()
    entry.unlink()
    (third.results / "data/all.parquet").unlink()  # a link to nothing stops Snakemake
    third.snakemake("--cache", "--until", "data")
    part = "data/all.parquet"
    assert sha256(third.results / part) == sha256(project.results / part)
