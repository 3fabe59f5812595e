"""The archive of the smoke run: an RO-Crate that another place can read, check and audit."""

import importlib.util
import json
import subprocess
import sys
import zipfile

import pytest
from rocrate.rocrate import ROCrate

from maspo.audit.archive import check_archive
from maspo.errors import DataError
from maspo.files import sha256

pytestmark = [pytest.mark.workflow, pytest.mark.slow, pytest.mark.xdist_group("archive")]


def archive(*arguments):
    command = [sys.executable, "-m", "maspo.steps.archive", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture(scope="module")
def crate(finished, tmp_path_factory):
    """Return the archive of the smoke run."""
    target = tmp_path_factory.mktemp("archive") / "smoke.zip"
    done = archive(finished.results, "--output", target)
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def unpacked(crate, tmp_path):
    with zipfile.ZipFile(crate) as file:
        assert file.testzip() is None
        file.extractall(tmp_path / "elsewhere")
    return tmp_path / "elsewhere"


def test_the_same_results_give_the_same_bytes(finished, crate, tmp_path):
    again = tmp_path / "again.zip"
    assert archive(finished.results, "--output", again).returncode == 0
    assert sha256(again) == sha256(crate)


def test_it_holds_every_result_and_what_explains_them(finished, unpacked):
    inside = unpacked / "results" / "smoke"
    for path in finished.results.rglob("[!.]*"):
        relative = path.relative_to(finished.results)
        assert relative.parts[0] == "checkpoints" or (inside / relative).exists()
    for name in ("tables/smoke.csv", "claims.json", "figures/smoke/avg_at_k.png"):
        original = finished.results / "default" / name
        assert (inside / "default" / name).read_bytes() == original.read_bytes()
    for name in ("LICENSE", "CITATION.cff", "configs/config.yaml", "constraints/cpu.txt"):
        assert (unpacked / name).stat().st_size > 0
    assert list(unpacked.rglob("*.tmp")) == []


def test_rocrate_reads_it_with_licence_and_checksums(unpacked):
    crate = ROCrate(unpacked)
    assert crate.license.id == "https://spdx.org/licenses/Apache-2.0"
    assert crate.name
    assert crate.description
    assert crate.datePublished
    files = {entity.id: entity for entity in crate.data_entities}
    assert len(files) == sum(path.is_file() for path in unpacked.rglob("*")) - 1
    for name, entity in files.items():
        assert entity["sha256"] == sha256(unpacked / name)
        assert int(entity["contentSize"]) == (unpacked / name).stat().st_size
    graph = json.loads((unpacked / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    root, descriptor = entities["./"], entities["ro-crate-metadata.json"]
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert descriptor["about"] == {"@id": "./"}
    assert len(entities) == len(graph)
    references = [value["@id"] for value in root.values() if isinstance(value, dict)]
    assert set(references) <= set(entities)
    assert {part["@id"] for part in root["hasPart"]} == set(files)
    assert check_archive(unpacked) == len(files)


@pytest.mark.parametrize("damage", ["bytes", "missing", "added"])
def test_a_changed_archive_is_refused_by_name(unpacked, damage):
    table = unpacked / "results/smoke/default/tables/smoke.csv"
    if damage == "bytes":
        table.write_bytes(table.read_bytes().replace(b"maspo", b"mapso", 1))
    elif damage == "missing":
        table.unlink()
    else:
        table = unpacked / "results/smoke/default/tables/better.csv"
        table.write_text("variant,avg_at_k\nmaspo,1\n")
    with pytest.raises(DataError, match=table.name):
        check_archive(unpacked)
    done = archive("--check", unpacked)
    assert done.returncode == 1
    assert table.name in done.stderr
    assert "Traceback" not in done.stderr


def test_the_weights_can_be_left_out(finished, crate, tmp_path):
    small = tmp_path / "small.zip"
    done = archive(finished.results, "--output", small, "--without-policies")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(small) as file:
        names = file.namelist()
    assert not [name for name in names if name.endswith(".safetensors")]
    assert "results/smoke/evaluation/maspo/seed_1/snapshots.parquet" in names
    assert "results/smoke/runs/maspo/seed_1/metrics.jsonl" in names
    assert small.stat().st_size < crate.stat().st_size


def test_a_folder_without_results_is_refused(tmp_path):
    done = archive(tmp_path)
    assert done.returncode == 1
    assert "results/mini" in done.stderr
    assert list(tmp_path.iterdir()) == []
    done = archive("--check", tmp_path)
    assert done.returncode == 1
    assert "no unpacked RO-Crate" in done.stderr


def test_the_audit_runs_on_the_unpacked_archive(unpacked):
    if importlib.util.find_spec("maspo.steps.audit") is None:
        pytest.skip("the package has no audit yet")
    command = [sys.executable, "-m", "maspo.steps.audit", unpacked / "results" / "smoke"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=unpacked)
    assert done.returncode == 0, done.stdout + done.stderr
