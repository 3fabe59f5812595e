"""What an audit says: its verdict, its lines, and numbers that no training can give."""

import json
import math
from pathlib import Path

import pytest

from maspo.audit.audit import STATUS, Audit
from maspo.audit.finding import LONGEST, Finding, not_checked, note
from maspo.audit.logs import impossible
from maspo.audit.tables import differences
from maspo.audit.tree import SCHEMA, Draft202012Validator, Tree, read_manifest
from maspo.errors import DataError
from maspo.files import read_json
from maspo.reporting.outputs import STUDY_TABLES, SUITE_TABLES
from maspo.training.token_counts import PROBABILITIES, RATIOS

FAILURE = Finding("chain", "a", "b", "c")
UNKNOWN = not_checked("draws", "a", "another platform", "draw there")
NOTE = note("seeds", "a", "b", "c")


@pytest.mark.parametrize(
    ("findings", "verdict", "status"),
    [
        ([], "passed", 0),
        ([NOTE], "passed", 0),
        ([UNKNOWN, NOTE], "not checked in full", 2),
        ([UNKNOWN, FAILURE], "failed", 1),
    ],
)
def test_what_was_not_checked_is_no_pass(findings, verdict, status):
    audit = Audit(Tree(Path()), {"chain": findings}, {})
    assert audit.outcome == verdict
    assert STATUS[verdict] == status


def test_a_finding_is_one_line_that_moves_no_cursor():
    line = str(Finding("chain", "a\nb\x1b[2Jc\u202e", "x\ty", "z" * 2 * LONGEST))
    assert line.isprintable()
    assert r"a\nb\x1b[2Jc\u202e" in line
    assert len(line) < LONGEST + 50


@pytest.mark.parametrize(
    ("found", "place"),
    [
        (b"a,b\r\n1,2\r\n", "cells"),
        (b'"a",b\n1,2\n', "cells"),
        (b"a,b\n1,3\n", "line 2 (1), column b"),
        (b"a,b\n1,2\n\n", "cells"),
        (b"a,b\n1,2", "cells"),
        (b"a,b\n1,2\xff\n", "line 2 (1), column b"),
    ],
)
def test_tables_are_compared_as_bytes(found, place):
    assert list(differences("tables", "t.csv", "a,b\n1,2\n", b"a,b\n1,2\n")) == []
    (finding,) = differences("tables", "t.csv", "a,b\n1,2\n", found)
    assert place in f"{finding.expected} {finding.found}"


@pytest.mark.parametrize("end", ["\u2028", "\x0c", "\x85", "\r\n"])
def test_other_ends_of_lines_are_found(end):
    assert list(differences("tables", "t.md", "a\nb\n", f"a{end}b\n".encode()))


def row(**changes):
    use = {"tokens": [3], "nonzero": [2], "weight": [2.5]}

    def counted(edges):
        return {
            "edges": list(edges),
            **{part: values + [0] * (len(edges) - 2) for part, values in use.items()},
        }

    usual = {
        **{"step": 1, "reward": 0.5, "accuracy": 0.5, "wrong": 2, "no_answer": 0, "timeout": 0},
        **{"error": 0, "uniform_groups": 0, "tokens": 4, "entropy": 0.1, "loss": -0.5},
        **{"gradient_norm": 1.0, "ratio_min": 0.5, "ratio_mean": 1.0, "ratio_max": 2.0},
        **{"gated_fraction": 0.25, "zero_gradient_fraction": 0.25},
        **{"gradient_use": counted(PROBABILITIES), "ratio_use": counted(RATIOS)},
    }
    return usual | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"loss": math.nan},
        {"gradient_norm": math.inf},
        {"gradient_norm": -1.0},
        {"entropy": -1e-9},
        {"reward": 1.5},
        {"timeout": -1},
        {"ratio_min": -0.1},
        {"ratio_mean": 3.0},
        {"zero_gradient_fraction": 0.5},
        {"tokens": 2},
        {"ratio_moves": [[1, 0], [0, 1]]},
        {"gradient_use": row()["ratio_use"]},
        {"ratio_use": row()["ratio_use"] | {"nonzero": [4] + [0] * (len(RATIOS) - 2)}},
        {"ratio_use": row()["ratio_use"] | {"tokens": [4] + [0] * (len(RATIOS) - 2)}},
        {"ratio_use": row()["ratio_use"] | {"weight": [math.nan] * (len(RATIOS) - 1)}},
    ],
    ids=str,
)
def test_numbers_that_no_training_gives_are_found(changes):
    assert list(impossible(row())) == []
    assert list(impossible(row(ratio_moves=[[3, 0], [0, 0]]))) == []
    assert list(impossible(row(**changes)))


@pytest.fixture
def manifest():
    stored = (Path(__file__).parents[2] / "reference/mini/manifests.jsonl").open()
    with stored:
        return json.loads(stored.readline())


def read(tmp_path, text):
    path = tmp_path / "manifest.json"
    path.write_text(text)
    return read_manifest(path, Draft202012Validator(read_json(SCHEMA)))


def test_a_true_manifest_is_read(tmp_path, manifest):
    assert read(tmp_path, json.dumps(manifest)) == manifest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: [m], "the whole"),
        (lambda m: {k: v for k, v in m.items() if k != "inputs"}, "the whole: 'inputs'"),
        (lambda m: m | {"outputs": {"a": 3}}, r"outputs\.a"),
        (lambda m: m | {"outputs": {"a": "short"}}, r"outputs\.a"),
        (lambda m: m | {"step": "invent"}, "step"),
        (lambda m: m | {"seeds": {"run": "1"}}, r"seeds\.run"),
        (lambda m: m | {"time": m["time"] | {"seconds": {"x": -1}}}, r"time\.seconds\.x"),
        (lambda m: m | {"package": m["package"] | {"git": {"commit": "?"}}}, r"package\.git"),
    ],
)
def test_a_manifest_of_another_shape_is_refused_by_name(tmp_path, manifest, change, told):
    with pytest.raises(DataError, match=f"manifest.json is no manifest of a step: {told}"):
        read(tmp_path, json.dumps(change(manifest)))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"a": 1, "a": 2}', "more than once"),
        ('{"a": NaN}', "NaN is no JSON"),
        ('{"a": -Infinity}', "Infinity is no JSON"),
        ("[" * 100_000, "could not read"),
    ],
)
def test_json_that_readers_understand_differently_is_refused(tmp_path, text, told):
    with pytest.raises(DataError, match=told):
        read(tmp_path, text)


def test_every_declared_table_has_a_name_of_its_own():
    assert len(set(STUDY_TABLES)) == len(STUDY_TABLES)
    assert len(set(SUITE_TABLES)) == len(SUITE_TABLES)
