"""Variables that choose kernels: recorded in manifests, told by the audit."""

import json

import pytest

from maspo.audit.environment import check_environment, fingerprint
from maspo.audit.tree import Tree
from maspo.determinism import make_deterministic
from maspo.files import write_json
from maspo.provenance.manifest import surroundings

CHOICES = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_CBWR": "COMPATIBLE",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "DNNL_DEFAULT_FPMATH_MODE": "BF16",
    "OPENBLAS_CORETYPE": "Haswell",
    "NPY_DISABLE_CPU_FEATURES": "AVX2",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2",
    "NVIDIA_TF32_OVERRIDE": "1",
    "CUBLAS_WORKSPACE_CONFIG": ":16:8",
}


@pytest.fixture
def plain(monkeypatch):
    """Return the surroundings of this process with none of these variables set."""
    for name in surroundings()["variables"]:
        monkeypatch.delenv(name)
    return surroundings()


def manifest(folder, **changed):
    content = {
        "packages": {},
        "platform": {"machine": "x86_64", "processor": "a CPU", "python": "3.11"},
        "package": {"maspo": "0", "grader": "0", "git": None},
    }
    write_json(folder / "manifest.json", content | changed)
    return content | changed


@pytest.mark.parametrize("name", CHOICES)
def test_variables_that_choose_kernels_are_recorded(name, plain, monkeypatch):
    monkeypatch.setenv(name, CHOICES[name])
    now = surroundings()
    assert now["variables"] == {name: CHOICES[name]}
    of_numpy_alone = name == "OPENBLAS_CORETYPE"  # whose matrix products are in no run
    assert (fingerprint(now) == fingerprint(plain)) is of_numpy_alone


def test_counts_of_threads_and_what_a_step_sets_itself_are_not(plain, monkeypatch):
    """Threads are a setting, and Snakemake sets their variables in each job."""
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    make_deterministic(threads=1)
    assert surroundings()["variables"] == plain["variables"] == {}


def test_an_older_manifest_is_of_the_platform_without_variables(tmp_path):
    assert fingerprint(manifest(tmp_path)) == fingerprint(manifest(tmp_path, variables={}))


def test_the_audit_tells_each_choice_once_and_that_steps_are_mixed(tmp_path):
    chosen = {"MKL_CBWR": "AVX2"}
    tree = Tree(tmp_path)
    names = {name: {} if name == "third" else chosen for name in ("base", "run", "third")}
    vars(tree)["manifests"] = {
        f"{name}/manifest.json": manifest(tmp_path / name, variables=variables)
        for name, variables in names.items()
    }
    notes = [f for f in check_environment(tree) if f.severity == "note"]
    (told,) = (f for f in notes if "MKL_CBWR not set" in f.expected)
    assert (told.file, told.found) == ("base/manifest.json", "AVX2")
    (mixed,) = (f for f in notes if "one platform for all steps" in f.expected)
    assert mixed.file == "third/manifest.json"
    assert json.loads(mixed.found) == ["x86_64", "a CPU", "3.11", None, None, None]
