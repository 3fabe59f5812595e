"""The steps at scale gpu, up to the point where a GPU is needed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_layout import DAPO, overrides, write_hub
from tokenizers.pre_tokenizers import ByteLevel

from benchmark_files import BENCHMARKS
from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.files import read_json, sha256
from maspo.policy import build_policy, build_tokenizer, check_device, load_policy, save_policy
from maspo.steps.base import base
from maspo.steps.train import train
from maspo.tasks import read_problems

ROOT = Path(__file__).parents[3]


@pytest.fixture
def published(tmp_path):
    """Return a folder with a tiny policy and a byte-level tokenizer without a padding token."""
    tokenizer = build_tokenizer("".join(sorted(ByteLevel.alphabet())))
    architecture = {
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "intermediate_size": 16,
    }
    policy = build_policy(architecture, tokenizer, seed=5)
    tokenizer.pad_token = None
    save_policy(tmp_path / "published", policy, tokenizer)
    return tmp_path / "published"


def run(step, folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", f"maspo.steps.{step}", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )


def test_the_data_step_runs_on_local_files(tmp_path):
    write_hub(tmp_path / "hub")
    done = run("data", tmp_path, *overrides("hub", "results=out"))
    assert done.returncode == 0, done.stderr
    data = tmp_path / "out" / "data"
    assert len(read_problems(data / "train.parquet")) == 4
    for name in BENCHMARKS:
        assert len(read_problems(data / "benchmarks" / f"{name}.parquet")) == 1
    manifest = read_json(data / "manifest.json")
    assert manifest["inputs"][f"hub/{DAPO}"] == sha256(tmp_path / "hub" / DAPO)
    reports = load_experiment(["scale=gpu"]).task.reports
    assert {f"data/{name}" for name in reports} < set(manifest["outputs"])
    for name in reports:
        assert (data / name).stat().st_size > 0


def test_the_data_step_without_files_says_what_to_do(tmp_path):
    done = run("data", tmp_path, "scale=gpu", "results=out")
    assert done.returncode == 1
    for word in ("error: task.evaluation", "math_data/test.parquet", "task.local_dir"):
        assert word in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out" / "data" / "train.parquet").exists()


def test_the_wrong_file_stops_the_data_step(tmp_path):
    write_hub(tmp_path)
    arguments = [o for o in overrides(tmp_path, "results=out") if "sha256" not in o]
    done = run("data", tmp_path, *arguments)
    assert done.returncode == 1
    assert "task.training.sha256=534375d6" in done.stderr


def test_the_base_step_copies_a_published_policy(tmp_path, published, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = load_experiment(["scale=gpu", f"model.path={published}", "results=out"])
    base(experiment)
    policy, tokenizer = load_policy("out/base/seed_0/policy")
    original, _ = load_policy(published)
    for one, other in zip(policy.parameters(), original.parameters(), strict=True):
        assert one.equal(other)
    assert tokenizer.pad_token_id == tokenizer.eos_token_id
    settings = read_json("out/base/seed_0/manifest.json")["settings"]
    assert settings["path"] == str(published)
    assert settings["resolved_revision"] is None
    assert not Path("out/base/seed_0/metrics.jsonl").exists()


def test_a_missing_policy_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = load_experiment(["scale=paper", "results=out"])
    with pytest.raises(DataError) as error:
        base(experiment)
    for word in ("hf download deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B", "model.path=models/"):
        assert word in str(error.value)


def test_a_missing_folder_is_not_looked_for_on_the_hub(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=r"'\.venv-lm/policy'.*make reproduce SCALE=smol") as error:
        base(load_experiment(["scale=smol", "results=out", "model.supervised=null"]))
    assert "hf download" not in str(error.value)


def test_a_policy_without_a_chat_template_is_refused(tmp_path, published, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (published / "chat_template.jinja").unlink()
    with pytest.raises(DataError, match="no chat template"):
        base(load_experiment(["scale=gpu", f"model.path={published}", "results=out"]))


def test_training_without_a_gpu_stops_before_it_loads_anything(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    overrides = ["scale=gpu", "results=out", "variant=grpo", "seed=1"]
    with pytest.raises(ConfigError, match=r"model\.device='cuda'.*no CUDA device"):
        train(load_experiment(overrides))  # out/ holds nothing: a load would fail otherwise
    check_device("cpu")
    assert not Path("out").exists()


@pytest.mark.parametrize(
    ("override", "named"),
    [
        ("task.contaminated_share=0", "task.contaminated_share=0"),
        ("task.ngram=0", "task.ngram=0"),
        ("model.device=tpu", "model.device='tpu'.*cuda"),
        ("task.training.file_name=x", "'file_name'"),
        ("model.revsion=x", "model.revsion.*revision"),
    ],
)
def test_bad_settings_are_refused_by_name(override, named):
    with pytest.raises(ConfigError, match=named):
        load_experiment(["scale=gpu", override])


@pytest.mark.parametrize(("scale", "trainings"), [("gpu", 14), ("paper", 21)])
@pytest.mark.slow
def test_the_whole_study_is_planned(tmp_path, scale, trainings):
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "-n",
        "--snakefile",
        ROOT / "Snakefile",
    ]
    done = subprocess.run(
        [*command, "--directory", tmp_path, "--config", f"scale={scale}"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    jobs = dict(line.split()[:2] for line in output.splitlines() if len(line.split()) == 2)
    assert (jobs["train"], jobs["evaluate"]) == (str(trainings), str(trainings))
    assert jobs["evaluate_base"] == "1"  # a published policy is one for all seeds
    assert (jobs["data"], jobs["base"]) == ("1", "1")
