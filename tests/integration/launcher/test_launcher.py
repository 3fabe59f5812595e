"""A run as verl's command, without verl: what is printed, started and read back."""

import json
import os
import subprocess
import sys

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser

from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.files import read_json
from maspo.integrations.verl.launch import VerlRun
from maspo.integrations.verl.logs import metrics_row, read_logs, timings_row
from maspo.integrations.verl.overrides import _render
from maspo.steps.train import train
from maspo.tasks import write_problems

# Settings of the miniature that verl does not read.
VERL = ["train.lr_schedule=constant", "train.min_lr_ratio=0", "train.snapshots=[]"]
VERL += ["train.precision=null", "train.gradient_checkpointing=null", "train.rollouts_mb=null"]


def experiment_of(*overrides):
    return load_experiment(["scale=paper", "variant=maspo_alpha_0.5", "seed=1", *overrides])


def printed(*arguments):
    """Return what the train step prints with --print-command."""
    command = [sys.executable, "-m", "maspo.steps.train", *arguments, "--print-command"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.slow
def test_print_command_shows_a_run():
    done = printed("scale=paper", "variant=maspo_alpha_0.5", "seed=1")
    assert done.returncode == 0, done.stderr
    for text in (
        "python -m verl.trainer.main_ppo",
        "actor_rollout_ref.actor.policy_loss.loss_mode=maspo.maspo",
        "+actor_rollout_ref.actor.policy_loss.settings.alpha=0.5",
        "data.train_batch_size=512",
        "actor_rollout_ref.actor.ppo_mini_batch_size=32",
        "actor_rollout_ref.rollout.n=5",
        "python -m verl.model_merger merge --backend fsdp",
    ):
        assert text in done.stdout


@pytest.mark.slow
def test_print_command_is_refused_where_nothing_is_started():
    done = printed("scale=mini", "variant=maspo", "seed=1")
    assert done.returncode == 1
    assert "engine.kind='local'" in done.stderr


@pytest.mark.parametrize("launcher", ["process", "ray", "slurm"])
def test_script_is_valid_bash(launcher):
    script = VerlRun(experiment_of(f"engine.launcher={launcher}", "engine.nodes=2")).script()
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)
    assert ("#SBATCH --nodes=2" in script) == (launcher == "slurm")
    assert ("RAY_ADDRESS" in script) == (launcher != "process")


def test_slurm_is_told_of_any_folder():
    """sbatch reads its lines with a shell's quotes, and %j in a path."""
    folder = "/scratch/Größe 100% x"
    options = ("engine.launcher=slurm", "+engine.slurm.comment='two words'", f"results={folder}")
    lines = VerlRun(experiment_of(*options)).script().splitlines()
    output = "/scratch/Größe 100%% x/checkpoints/maspo_alpha_0.5/seed_1/slurm-%j.log"
    assert f"#SBATCH --output='{output}'" in lines
    assert "#SBATCH --comment='two words'" in lines
    assert "#SBATCH --time=7-00:00:00" in lines


@pytest.mark.parametrize("text", ["a\\b c", "it's", 'say "x" \\', 'a\\"b', "Größe, {x} [y"])
def test_any_text_reaches_verl_as_it_is(text):
    override = next(_render({"data.train_files": text}))
    parsed = OverridesParser.create().parse_override(override)
    assert parsed.value() == text


def test_conditions_of_a_variant_reach_verl():
    run = VerlRun(experiment_of("variant=grpo@lr_1e-05@reward_random@updates_per_batch_1"))
    command = run.train_command()
    assert "actor_rollout_ref.actor.optim.lr=1e-05" in command
    assert "actor_rollout_ref.actor.ppo_mini_batch_size=512" in command
    assert "+reward.custom_reward_function.reward_kwargs.reward=random" in command


def test_a_run_depends_on_how_verl_computes_and_not_on_where_it_is_started():
    usual = experiment_of().engine.behind_results
    for elsewhere in ("launcher=ray", "python=/opt/verl/bin/python", "slurm.time=1"):
        assert experiment_of(f"engine.{elsewhere}").engine.behind_results == usual
    for other in (
        *("overrides=['trainer.nnodes=4']", "tensor_parallel=2", "sequence_parallel=2", "nodes=2"),
        *("rollout_memory=0.5", "tokens_per_gpu=10240", "offload=true", "gpus_per_node=4"),
    ):
        assert experiment_of(f"engine.{other}").engine.behind_results != usual
    assert load_experiment(["scale=mini"]).engine.behind_results == {"kind": "local"}


def test_overrides_of_the_user_come_last():
    run = VerlRun(experiment_of("engine.overrides=['trainer.nnodes=4']"))
    assert run.train_command()[-1] == "trainer.nnodes=4"


# A stand-in for verl's two programs: it does with the files what they do, so that the step around
# them can be tested without GPUs. What verl itself makes of our command is test_verl_command.py's.
PROGRAM = """#!/usr/bin/env python3
import json, os, pathlib, sys
arguments = {k: v.strip('"') for k, v in (a.split("=", 1) for a in sys.argv if "=" in a)}
if sys.argv[1] == "-c":
    print("note: something first", os.environ.get("FLASH", "True"), sep="\\n")
elif "verl.trainer.main_ppo" in sys.argv:
    if os.environ.get("FAIL"):
        sys.exit(3)
    folder = pathlib.Path(arguments["trainer.default_local_dir"])
    steps = int(arguments["trainer.total_training_steps"])
    (folder / f"global_step_{steps}" / "actor").mkdir(parents=True)
    with open(os.environ["VERL_FILE_LOGGER_PATH"], "w") as log:
        for step in range(1, steps + 1):
            data = {"critic/score/mean": 0.5, "actor/ratio_max": 1.2, "timing_s/step": 9.0}
            log.write(json.dumps({"step": step, "data": data}) + "\\n")
else:
    source = pathlib.Path(sys.argv[sys.argv.index("--local_dir") + 1])
    assert source.is_dir(), source
    target = pathlib.Path(sys.argv[sys.argv.index("--target_dir") + 1])
    target.mkdir()
    (target / "config.json").write_text("{}")
"""


@pytest.fixture
def planned(tmp_path, modular_problems):
    """Return a run of three steps with its inputs in place and a stand-in for verl.

    All lies below a folder that a shell has to be told of in quotes.
    """
    tmp_path = tmp_path / "Größe 'x' & $HOME"
    tmp_path.mkdir()
    program = tmp_path / "verl_stand_in"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    experiment = load_experiment(
        [
            "scale=smoke",
            "engine=verl",
            f"engine.python={program}",
            f"results={tmp_path / 'results'}",
            "variant=maspo",
            "seed=1",
            "train.steps=3",
            *VERL,
        ]
    )
    base = tmp_path / "results" / "base" / "seed_1" / "policy"
    base.mkdir(parents=True)
    (base / "config.json").write_text("{}")
    write_problems(tmp_path / "results" / "data" / "train.parquet", modular_problems)
    return experiment, tmp_path / "results"


def test_step_leaves_the_outputs_of_any_train_step(planned):
    experiment, results = planned
    train(experiment)
    folder = results / "runs" / "maspo" / "seed_1"
    assert {p.name for p in folder.iterdir()} == {
        "policy",
        "metrics.jsonl",
        "timings.jsonl",
        "manifest.json",
    }
    rows = [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert rows[0] == {"step": 1, "reward": 0.5, "ratio_max": 1.2}
    assert not (results / "checkpoints" / "maspo" / "seed_1").exists()
    assert "sampler" not in read_json(folder / "manifest.json")["settings"]  # verl has its own


def test_failed_trainer_is_named_and_its_checkpoints_stay(planned, monkeypatch):
    experiment, results = planned
    monkeypatch.setenv("FAIL", "1")
    with pytest.raises(DataError, match=r"run\.sh' failed.*last checkpoint"):
        train(experiment)
    assert (results / "checkpoints" / "maspo" / "seed_1" / "run.sh").is_file()
    assert not (results / "runs").exists()


def test_without_flash_attn_nothing_is_started(planned, monkeypatch):
    experiment, results = planned
    monkeypatch.setenv("FLASH", "False")
    with pytest.raises(ConfigError, match=r"stand_in\" has no flash_attn.*flash-attn==2\.8\.3"):
        train(experiment)
    assert not (results / "checkpoints" / "maspo" / "seed_1" / "run.sh").exists()
    other = "+actor_rollout_ref.model.override_config.attn_implementation=sdpa"
    VerlRun(experiment_of(f"engine.overrides=['{other}']")).check_attention()
    with pytest.raises(ConfigError, match=r"engine\.python='/no/python' cannot run"):
        VerlRun(experiment_of("engine.python=/no/python")).check_attention()


def test_ray_has_the_cores_and_memory_of_its_nodes():
    script = VerlRun(experiment_of("engine.launcher=slurm", "engine.nodes=2")).script()
    assert "#SBATCH --mem=0\n" in script
    assert "#SBATCH --cpus-per-task=64\n" in script
    (ray,) = (line for line in script.splitlines() if "ray.scripts.scripts" in line)
    for option in ("--cpu-bind=none", "--mem=0", '--cpus-per-task="${SLURM_CPUS_PER_TASK:-'):
        assert option in ray
    for launcher in ("process", "ray", "slurm"):
        assert (
            "VLLM_USE_FLASHINFER_SAMPLER:-0}"
            in VerlRun(experiment_of(f"engine.launcher={launcher}")).script()
        )


def test_log_of_several_attempts_is_one_log(tmp_path):
    def write(name, steps, reward):
        rows = [{"step": s, "data": {"critic/score/mean": reward}} for s in steps]
        (tmp_path / name).write_text("".join(json.dumps(row) + "\n" for row in rows))

    write("100.jsonl", [1, 2, 3], 0.1)
    write("200.jsonl", [3, 4], 0.2)
    rows = read_logs(tmp_path, 4)
    assert [metrics_row(row)["reward"] for row in rows] == [0.1, 0.1, 0.2, 0.2]
    with pytest.raises(DataError, match="lack the steps \\[5\\] of 5"):
        read_logs(tmp_path, 5)


def test_rows_have_our_names():
    row = {
        "step": 4,
        "critic/score/mean": 0.25,
        "actor/entropy": 1.5,
        "actor/grad_norm": 0.1,
        "actor/pg_loss": -0.2,
        "actor/lr": 1e-6,
        "actor/gated_fraction": 0.3,
        "timing_s/gen": 10.0,
        "perf/throughput": 1.0,
    }
    assert metrics_row(row) == {
        "step": 4,
        "reward": 0.25,
        "entropy": 1.5,
        "loss": -0.2,
        "gradient_norm": 0.1,
        "gated_fraction": 0.3,
    }
    assert timings_row(row) == {"step": 4, "sample": 10.0}


@pytest.mark.slow
def test_workflow_shows_the_study_of_the_paper_scale(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "-n", "--quiet", "rules", "--config", "scale=paper"],
        capture_output=True,
        text=True,
        check=False,
        cwd=os.environ.get("MASPO_ROOT", os.getcwd()),
    )
    assert done.returncode == 0, done.stdout + done.stderr
