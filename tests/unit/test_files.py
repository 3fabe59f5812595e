"""Writing: either the old file or the new one, and errors that name the file."""

import resource
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch

from maspo.errors import DataError
from maspo.files import (
    atomic,
    files_below,
    read_json,
    read_json_lines,
    sha256,
    write_json,
    write_text,
)
from maspo.policy import save_policy
from maspo.tasks import Problem, write_problems
from maspo.tasks.problems import SCHEMA, read_table
from maspo.training.checkpoint import CheckpointFolder

QUESTION = Problem.create("1+2?", "3", "modular")


def test_an_error_in_mid_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "table.csv"
    write_text(path, "old")

    def fail_half_way():
        with atomic(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_replaced_whole(tmp_path):
    folder = tmp_path / "policy"
    for name in ("first", "second"):
        with atomic(folder) as temporary:
            temporary.mkdir()
            (temporary / name).write_text(name)
    assert [file.name for file in folder.iterdir()] == ["second"]


def test_a_kill_in_mid_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "records.bin"
    path.write_bytes(b"old")
    code = (
        "import os, signal, sys\n"
        "from maspo.files import atomic\n"
        "with atomic(sys.argv[1]) as temporary:\n"
        "    temporary.write_bytes(b'half')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(path)], check=False)
    assert killed.returncode == -9
    assert path.read_bytes() == b"old"


def checkpoint(path, tiny_policy):
    policy, _ = tiny_policy
    CheckpointFolder(path.parent, "x").save(1, policy, torch.optim.AdamW(policy.parameters()))


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("table.csv", lambda path, _: write_text(path, "x" * 5000)),
        ("problems.parquet", lambda path, _: write_problems(path, 500 * [QUESTION])),
        ("policy", lambda path, tiny_policy: save_policy(path, *tiny_policy)),
        ("checkpoint.pt", checkpoint),
    ],
)
def test_a_full_disk_is_named_and_keeps_the_old_file(tmp_path, tiny_policy, name, write):
    """The kernel refuses the write (a limit on the size of files), as it does on a full disk."""
    path = tmp_path / name
    path.write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(DataError, match=f"could not write .*{name}"):
            write(path, tiny_policy)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_unreadable_files_are_named(tmp_path):
    cut = tmp_path / "metrics.jsonl"
    cut.write_text('{"step": 1}\n{"st')
    with pytest.raises(DataError, match=r"metrics\.jsonl, line 2"):
        read_json_lines(cut)
    with pytest.raises(DataError, match=r"metrics\.jsonl"):
        read_json(cut)
    with pytest.raises(DataError, match=r"absent\.json"):
        read_json(tmp_path / "absent.json")


@pytest.mark.parametrize(
    ("file", "step"),
    [
        ("data/benchmarks/terms2.parquet", "data"),
        ("data/all.parquet", "data"),
        ("base/seed_3/policy/config.json", "base seed=3"),
        ("runs/maspo_alpha_0.5/seed_12/manifest.json", "train variant=maspo_alpha_0.5 seed=12"),
        ("runs/grpo/seed_1/metrics.jsonl", "train variant=grpo seed=1"),
        ("evaluation/grpo/seed_1/records.parquet", "evaluate variant=grpo seed=1"),
    ],
)
def test_a_missing_result_is_named_with_the_step_that_makes_it(tmp_path, file, step):
    tables = partial(read_table, schema=SCHEMA)
    readers = {".json": read_json, ".jsonl": read_json_lines, ".parquet": tables}
    read = readers[Path(file).suffix]
    with pytest.raises(DataError) as error:
        read(tmp_path / file)
    assert f"{file} is missing: " in str(error.value)
    assert f"`python -m maspo.steps.{step}`" in str(error.value)


@pytest.mark.parametrize(
    "content",
    [
        b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n',
        b'{"a": 1}\n\n  \n{"a": 2}\n\n',
        b'{"a": 1}\r\n\r\n{"a": 2}',
    ],
    ids=["byte order mark", "blank lines", "Windows"],
)
def test_what_editors_do_to_json_lines_is_read(tmp_path, content):
    path = tmp_path / "benchmark.jsonl"
    path.write_bytes(content)
    assert read_json_lines(path) == [{"a": 1}, {"a": 2}]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"a": 1}\n\n{"a":\n{"a": 2}\n', "line 3, is not JSON .*: correct the line"),
        (b'{"a": 1}\n\n{"a":', "line 3, is not JSON .*: the file is cut"),
        (b'{"a": 1}\n[1, 2]\n', r"line 2, is \[1, 2\], not an object in braces"),
        (b'\xff\xfe{"a": 1}\n', "could not read .*utf-8"),
    ],
)
def test_what_is_wrong_with_json_lines_is_told(tmp_path, content, told):
    path = tmp_path / "benchmark.jsonl"
    path.write_bytes(content)
    with pytest.raises(DataError, match=told):
        read_json_lines(path)


def test_json_with_a_byte_order_mark_is_read(tmp_path):
    (tmp_path / "value.json").write_bytes(b'\xef\xbb\xbf{"a": 1}')
    assert read_json(tmp_path / "value.json") == {"a": 1}


def test_files_behind_links_are_found_once_around(tmp_path):
    root, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    for file in (root / "data" / "train", elsewhere / "maspo" / "seed_1" / "manifest.json"):
        file.parent.mkdir(parents=True)
        file.write_text("{}")
    (root / "runs").symlink_to(elsewhere)
    (root / "runs" / "maspo" / "again").symlink_to(root)  # leads back to its own beginning
    (root / "gone").symlink_to(tmp_path / "nowhere")
    found = [path.relative_to(root).as_posix() for path in files_below(root)]
    assert found == ["data/train", "runs/maspo/seed_1/manifest.json"]
    assert list(files_below(tmp_path / "nowhere")) == []
    before = sha256(elsewhere)
    (elsewhere / "maspo" / "seed_1" / "manifest.json").write_text("[]")
    assert sha256(root) != before != sha256(elsewhere)


def test_hash_of_a_folder_sees_names_and_contents(tmp_path):
    for name, content in (("a", "1"), ("b", "2")):
        (tmp_path / name).write_text(content)
    first = sha256(tmp_path)
    (tmp_path / "b").rename(tmp_path / "c")
    renamed = sha256(tmp_path)
    (tmp_path / "c").write_text("3")
    changed = sha256(tmp_path)
    assert len({first, renamed, changed}) == 3
    (tmp_path / ".snakemake_timestamp").write_text("")
    assert sha256(tmp_path) == changed


def test_json_round_trip(tmp_path):
    value = {"b": [1, 2.5, None], "a": "ρ"}
    write_json(tmp_path / "x" / "value.json", value)
    assert read_json(tmp_path / "x" / "value.json") == value
    assert Path(tmp_path / "x" / "value.json").read_text().endswith("}\n")


def test_what_a_killed_process_left_goes_with_the_next_write(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    running = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (tmp_path / f".table.csv.{gone.pid}.tmp").write_text("half")
        (tmp_path / f".table.csv.{running.pid}.tmp").write_text("in work")
        write_text(tmp_path / "table.csv", "whole")
    finally:
        running.communicate()
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"table.csv", f".table.csv.{running.pid}.tmp"}


def test_a_link_into_a_cache_is_replaced_and_the_cache_is_not_touched(tmp_path):
    entry = tmp_path / "cache" / "policy"
    entry.mkdir(parents=True)
    (entry / "weights").write_text("cached")
    (tmp_path / "policy").symlink_to(entry)
    with atomic(tmp_path / "policy") as temporary:
        temporary.mkdir()
        (temporary / "weights").write_text("new")
    assert (entry / "weights").read_text() == "cached"
    assert (tmp_path / "policy" / "weights").read_text() == "new"
