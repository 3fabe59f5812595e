"""Archives of results with unusual names, and of results that change meanwhile."""

import threading
import zipfile
from pathlib import Path

import pytest

from maspo.audit.archive import archive_files, check_archive, write_archive
from maspo.errors import DataError
from maspo.files import write_json, write_text

LICENCE = Path(__file__).parents[2] / "LICENSE"


@pytest.fixture
def results(tmp_path):
    folder = tmp_path / "mini"
    write_json(folder / "data" / "manifest.json", {"time": {"finished": "2026-11-26T05:00:00"}})
    return folder


def archived(results, folder):
    target = folder / "mini.zip"
    write_archive(target, results, {}, LICENCE, policies=True)
    with zipfile.ZipFile(target) as file:
        file.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_names_that_a_crate_writes_otherwise_pass_its_check(results, tmp_path):
    names = ("grpo@lr_0.0001/metrics.jsonl", "Größe und 100 %25/a+b.txt", "it's $HOME {x}.txt")
    for name in names:
        write_text(results / "runs" / name, name)
    folder = archived(results, tmp_path)
    assert check_archive(folder) == 2 + len(names)
    (folder / "results" / "mini" / "runs" / names[0]).unlink()
    with pytest.raises(DataError, match=r"grpo@lr_0\.0001/metrics\.jsonl is missing"):
        check_archive(folder)


def test_archive_of_files_that_a_build_writes_meanwhile_is_whole(results, tmp_path):
    logs = [results / "logs" / f"{number}.log" for number in range(50)]
    for log in logs:
        write_text(log, "")
    over = threading.Event()

    def build():
        while not over.is_set():
            for log in logs:
                log.write_text(log.read_text()[-5000:] + 100 * "more\n")

    builder = threading.Thread(target=build)
    builder.start()
    try:
        folder = archived(results, tmp_path)
    finally:
        over.set()
        builder.join()
    assert check_archive(folder) == 2 + len(logs)


def test_file_that_a_build_takes_away_meanwhile_is_named(results, tmp_path, monkeypatch):
    gone = results / "runs" / "metrics.jsonl"
    files = [*archive_files(results, policies=True), gone]
    monkeypatch.setattr("maspo.audit.archive.archive_files", lambda *_: files)
    with pytest.raises(DataError, match=r"metrics\.jsonl was there and is gone: archive it again"):
        write_archive(tmp_path / "mini.zip", results, {}, LICENCE, policies=True)
    assert not list(tmp_path.glob("*.zip"))
