"""What `make` would run at each scale: dry runs (`make -n`), in which nothing is installed."""

import os
import re
import subprocess

import pytest

from project import ROOT


def planned(tmp_path, *arguments):
    """Return the commands of a dry run where nothing is installed yet, without pip's options."""
    command = ["make", "-n", *arguments, f"VENV={tmp_path}/env", "PYTHON=python"]
    # Under `make test` the outer make would speak to this one through its variables.
    outer = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "INSTALLER"}
    own = {name: value for name, value in os.environ.items() if name not in outer}
    done = subprocess.run(command, cwd=ROOT, env=own, capture_output=True, text=True, check=True)
    text = done.stdout.replace(f"{tmp_path}/", "").replace("\\\n", "")
    text = re.sub(r" --(quiet|disable-pip-version-check)", "", text)
    return [line for line in text.splitlines() if not line.startswith(("echo", "touch"))]


def test_the_default_scale_is_run_by_the_package_alone(tmp_path):
    assert planned(tmp_path, "reproduce") == [
        "python -m venv env",
        "env/bin/python -m pip install -c constraints/cpu.txt -e '.[dev]'",
        "env/bin/snakemake --cores all --config scale=mini ",
    ]


def test_uv_installs_the_same(tmp_path):
    assert planned(tmp_path, "install", "INSTALLER=uv") == [
        "python -m venv env",
        "uv pip install --python env/bin/python -c constraints/cpu.txt -e '.[dev]'",
    ]
    with pytest.raises(subprocess.CalledProcessError):
        planned(tmp_path, "install", "INSTALLER=conda")


@pytest.mark.parametrize(
    ("target", "suite"), [("reproduce", "--cores all"), ("full", "--cores all full")]
)
def test_scale_gpu_brings_vllm_before_it_starts(tmp_path, target, suite):
    assert planned(tmp_path, target, "SCALE=gpu") == [
        "python -m venv env-gpu",
        "env-gpu/bin/python -m pip install -c constraints/vllm-cuda.txt -e '.[vllm]'",
        f"env-gpu/bin/snakemake {suite} --config scale=gpu ",
    ]


def test_scale_smol_brings_its_language_model(tmp_path):
    commands = planned(tmp_path, "reproduce", "SCALE=smol")
    assert any("-r constraints/lm.txt" in command for command in commands)
    assert "examples/smollm2.py env-lm/policy" in commands[-2]
    assert commands[-1] == (
        'env/bin/snakemake --cores all --config scale=smol overrides="model.path=env-lm/policy"'
    )


@pytest.mark.parametrize("scale", ["paper", "paper_7b", "paper_14b"])
def test_scale_paper_brings_verl_and_vllm_and_trains_with_verls_python(tmp_path, scale):
    compiler, *commands = planned(tmp_path, "reproduce", f"SCALE={scale}")
    assert compiler.startswith("command -v nvcc > /dev/null || {")
    assert "exit 1" in compiler
    verl = "env-verl-gpu/bin/python"
    assert commands == [
        "python -m venv env-verl-gpu",
        f"{verl} -m pip install -c constraints/verl.txt 'verl[vllm]==0.9.1' math-verify==0.9.0",
        f"{verl} -m pip install --no-deps -e .",
        f"{verl} -m pip install --no-build-isolation flash-attn==2.8.3",
        "python -m venv env-gpu",
        "env-gpu/bin/python -m pip install -c constraints/vllm-cuda.txt -e '.[vllm]'",
        f"env-gpu/bin/snakemake --cores all --config scale={scale} "
        f'overrides="engine.python={verl}"',
    ]


@pytest.mark.parametrize("name", ["vllm-cuda", "verl"])
def test_the_pins_name_the_commands_that_make_runs(tmp_path, name):
    scale = {"vllm-cuda": "gpu", "verl": "paper"}[name]
    comment = re.findall(r"^#(.*)\n", (ROOT / "constraints" / f"{name}.txt").read_text(), re.M)
    installs = [
        line.split("pip ")[1]
        for line in planned(tmp_path, "reproduce", f"SCALE={scale}")
        if "pip install" in line
    ]
    mine = [line for line in installs if "vllm-cuda" not in line or name == "vllm-cuda"]
    assert mine
    assert all(f"pip {line}" in " ".join(comment) for line in mine)


@pytest.mark.parametrize(("device", "environment"), [("cpu", "env"), ("cuda", "env-gpu")])
def test_a_card_is_asked_where_its_scale_runs(tmp_path, device, environment):
    *_, last = planned(tmp_path, "check-gpu", f"DEVICE={device}")
    assert last == f"{environment}/bin/python -m maspo.steps.check_gpu --device {device}"


def test_what_is_installed_is_not_installed_again(tmp_path):
    stamp = tmp_path / "env-gpu" / ".installed"
    stamp.parent.mkdir()
    stamp.touch()
    assert planned(tmp_path, "reproduce", "SCALE=gpu") == [
        "env-gpu/bin/snakemake --cores all --config scale=gpu "
    ]


def test_an_unknown_scale_is_refused_before_anything_is_installed(tmp_path):
    with pytest.raises(subprocess.CalledProcessError) as caught:
        planned(tmp_path, "reproduce", "SCALE=typo")
    assert "SCALE=typo is unknown" in caught.value.stderr
    assert caught.value.stdout == ""
