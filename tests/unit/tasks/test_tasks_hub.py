"""Files of the hub: the pinned bytes or an error that says what to do."""

import re

import pyarrow.parquet as pq
import pytest
from hub_layout import DAPO, row, write, write_hub

from maspo.config import HubFile, load_experiment
from maspo.errors import ConfigError, DataError
from maspo.files import sha256
from maspo.tasks.hub import commit_of, fetch, read_rows

COMMIT = "65877096c24ffa7abc4e4fa5edb95cf3413a5674"
REPO, _, FILE = DAPO.partition("/data/")
FILE = f"data/{FILE}"


def source(revision=COMMIT, checksum=None):
    return HubFile(REPO, FILE, revision, checksum)


@pytest.fixture
def hub_cache(tmp_path, monkeypatch):
    """Return a cache of the hub that holds the training file at one commit, as ``main``."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    repo = tmp_path / f"datasets--{REPO.replace('/', '--')}"
    write(repo / "snapshots" / COMMIT / FILE, [row("What?", "5", "math_dapo")])
    (repo / "refs").mkdir()
    (repo / "refs" / "main").write_text(COMMIT)
    return repo


def test_a_local_copy_is_found_and_hashed(tmp_path):
    write_hub(tmp_path)
    digest = sha256(tmp_path / DAPO)
    found = fetch(source(), str(tmp_path), "task.training")
    assert (found.path, found.resolved, found.sha256) == (tmp_path / DAPO, None, digest)
    assert not found.pinned  # a commit says nothing of a copy that lies here
    checked = fetch(source(checksum=digest), str(tmp_path), "task.training")
    assert checked.pinned
    assert checked.describe()["sha256"] == digest


def test_another_checksum_is_refused(tmp_path):
    write_hub(tmp_path)
    with pytest.raises(DataError) as error:
        fetch(source(checksum="0" * 64), str(tmp_path), "task.training")
    for word in (str(tmp_path / DAPO), sha256(tmp_path / DAPO), "0" * 64, "task.training.sha256"):
        assert word in str(error.value)


def test_a_missing_local_copy_says_what_to_put_where(tmp_path):
    with pytest.raises(DataError) as error:
        fetch(source(), str(tmp_path), "task.training")
    assert str(tmp_path / DAPO) in str(error.value)
    assert f"hf download {REPO} {FILE} --repo-type dataset --revision {COMMIT}" in str(error.value)


@pytest.mark.parametrize(("revision", "pinned"), [(COMMIT, True), ("main", False)])
def test_the_cache_tells_the_commit(hub_cache, revision, pinned):
    found = fetch(source(revision), None, "task.training")
    assert found.path == hub_cache / "snapshots" / COMMIT / FILE
    assert (found.resolved, found.pinned) == (COMMIT, pinned)


def test_without_network_and_copy_the_error_names_file_and_setting(hub_cache):
    with pytest.raises(DataError) as error:
        fetch(source("0" * 40), None, "task.training")
    for word in ("task.training", FILE, "task.local_dir", "hf download", "0" * 40):
        assert word in str(error.value)


def test_commits_are_read_from_cache_paths_only():
    assert commit_of(f"/cache/snapshots/{COMMIT}/data/x.parquet") == COMMIT
    assert commit_of("/cache/snapshots/main/data/x.parquet") is None


def test_rows_come_in_order_and_only_the_columns_asked_for(tmp_path):
    rows = [row(f"q{i}", str(i), "math_dapo", i) for i in range(25)]
    path = write(tmp_path / "x.parquet", rows)
    read = list(read_rows(path, ("prompt", "data_source")))
    assert read == [{"prompt": r["prompt"], "data_source": "math_dapo"} for r in rows]


def test_broken_files_are_named(tmp_path):
    path = write(tmp_path / "x.parquet", [row("q", "1", "s")])
    with pytest.raises(DataError, match=r"no column \['answer'\]: it has \['data_source'"):
        list(read_rows(path, ("prompt", "answer")))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match=re.escape(str(path))):
        list(read_rows(path, ("prompt",)))


def test_a_cut_page_is_named(tmp_path):
    path = write(tmp_path / "x.parquet", [row(f"question {i}", "1", "s") for i in range(5000)])
    start = pq.ParquetFile(path).metadata.row_group(0).column(1).data_page_offset
    content = bytearray(path.read_bytes())
    content[start : start + 60] = b"\xff" * 60
    path.write_bytes(content)
    with pytest.raises(DataError, match=re.escape(str(path))):
        list(read_rows(path, ("prompt",)))


def test_a_checksum_of_another_form_is_refused():
    with pytest.raises(ConfigError, match=r"sha256 of BytedTsinghua.*'abc'.*64 hex"):
        load_experiment(["scale=gpu", "task.training.sha256=abc"])


def test_the_pins_of_the_configuration_are_pins():
    experiment = load_experiment(["scale=paper"])
    assert re.fullmatch("[0-9a-f]{40}", experiment.task.training.revision)
    assert experiment.task.training.sha256 is not None
    for size in ("1_5b", "7b", "14b"):
        model = load_experiment(["scale=paper", f"model=deepseek_r1_distill_qwen_{size}"]).model
        assert re.fullmatch("[0-9a-f]{40}", model.revision)
        assert model.device == "cuda"
