"""The container's recipes, as far as they can be checked without a container tool."""

import re
import shutil
import subprocess
import sys

import pytest

from project import ROOT

PLACE = "/opt/maspo"


@pytest.fixture(scope="module")
def lines():
    """Return the instructions of the Dockerfile: (word, the rest)."""
    text = (ROOT / "container" / "Dockerfile").read_text()
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


@pytest.fixture(scope="module")
def recipe():
    """Return the sections of Apptainer's recipe by name."""
    text = (ROOT / "container" / "maspo.def").read_text()
    parts = re.split(r"^%(\w+)\n", text, flags=re.MULTILINE)
    return {"header": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def copied(lines):
    """Return the paths that the Dockerfile copies."""
    return [path for word, rest in lines if word == "COPY" for path in rest.split()[:-1]]


def commands(text):
    """Return the commands of shell text, one a line, without what joins them."""
    parts = re.split(r"&&|\n|; then", re.sub(r" +", " ", text))
    return {part.strip() for part in parts}


@pytest.fixture(scope="module")
def image(lines, tmp_path_factory):
    """Return a folder with what the image holds, and nothing else."""
    folder = tmp_path_factory.mktemp("image") / "maspo"
    folder.mkdir()
    for path in copied(lines):
        source = ROOT / path
        if source.is_dir():
            shutil.copytree(source, folder / path, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / path)
    return folder


def test_docker_is_given_what_it_copies(lines):
    """`.dockerignore` leaves everything out but the lines with an exclamation mark."""
    first, *allowed = (ROOT / ".dockerignore").read_text().split()
    assert first == "*"
    allowed = [line.removeprefix("!") for line in allowed if line.startswith("!")]
    assert sorted(allowed) == sorted(copied(lines))
    assert all((ROOT / path).exists() for path in allowed)


@pytest.mark.slow
def test_the_workflow_plans_from_what_the_image_holds(lines, image, tmp_path):
    """In another folder than that of the checkout, as the entry point does."""
    (entry,) = (rest for word, rest in lines if word == "ENTRYPOINT")
    program, *arguments = re.findall(r'"([^"]*)"', entry)
    assert program == "snakemake"
    arguments = [part.replace(PLACE, str(image)) for part in arguments]
    command = [sys.executable, "-m", "snakemake", *arguments, "-n", "--config", "scale=smoke"]
    environment = {"PYTHONPATH": str(image), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert done.returncode == 0, output
    assert f"{image}/profiles/default" in output
    assert re.search(r"^total +31$", output, re.MULTILINE), output


def test_the_package_can_be_built_from_what_the_image_holds(image):
    """setuptools finds the files that pyproject.toml names."""
    text = (image / "pyproject.toml").read_text()
    for name in re.findall(r'"((?:README|LICENSE)[^"]*)"', text):
        assert (image / name).is_file(), name


def test_constraints_and_extras_of_the_recipes_are_there(lines, image):
    told = " ".join(rest for word, rest in lines if word == "RUN")
    files = re.findall(r"constraints/[\w.-]+", told)
    assert files
    assert all((image / file).is_file() for file in files)
    project = (image / "pyproject.toml").read_text()
    for extra in re.findall(r"\.\[(\w+)\]", told):
        assert re.search(rf"^{extra} = \[", project, re.MULTILINE), extra
    assert "\ntorch==" in (image / "constraints" / "cpu.txt").read_text()  # what grep takes


def test_apptainer_makes_the_image_of_docker(lines, recipe):
    (base,) = (rest.split()[0] for word, rest in lines if word == "FROM" and "python" in rest)
    assert f"From: {base}\n" in recipe["header"]
    files = dict(line.split() for line in recipe["files"].splitlines() if line.strip())
    assert files == {path: f"{PLACE}/{path}" for path in copied(lines)}
    post = commands(recipe["post"])
    for word, rest in lines:
        if word == "RUN":
            missing = commands(rest) - post
            assert not missing, missing
    (entry,) = (rest for word, rest in lines if word == "ENTRYPOINT")
    words = " ".join(re.findall(r'"([^"]*)"', entry))
    assert f'exec {words} "$@"' in recipe["runscript"]


def test_apptainers_shell_text_is_shell(recipe):
    for section in ("post", "runscript", "environment"):
        done = subprocess.run(["sh", "-n"], input=recipe[section], text=True, capture_output=True)
        assert done.returncode == 0, done.stderr
