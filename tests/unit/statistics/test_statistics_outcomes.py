"""From records to outcomes, and the planning command on files."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from maspo.errors import DataError
from maspo.evaluation.records import SCHEMA, write_records
from maspo.statistics import Outcomes, outcomes, variance_components
from maspo.statistics.__main__ import find_records, main

NAMES = {"c": "correct", "w": "wrong", "n": "no_answer", "t": "timeout", "e": "error"}


def records(problems):
    """Return records of {(benchmark, problem): verdict letters}."""
    return pd.DataFrame(
        [
            {
                "benchmark": benchmark,
                "problem": problem,
                "sample": sample,
                "seed": sample,
                "text": "",
                "tokens": 1,
                "answer": None,
                "gold": "1",
                "verdict": NAMES[letter],
            }
            for (benchmark, problem), letters in problems.items()
            for sample, letter in enumerate(letters)
        ]
    )


FIRST = {("hard", "q"): "cwn", ("hard", "p"): "ccc", ("easy", "p"): "tec"}
SECOND = {("hard", "q"): "ccw", ("hard", "p"): "www", ("easy", "p"): "wcc"}


def test_outcomes_of_known_records():
    found = outcomes([records(FIRST), records(SECOND)])
    assert found.benchmarks == ("hard", "hard", "easy")  # in the order of the records
    assert found.problems == ("p", "q", "p")
    assert found.correct.tolist() == [
        [[True, True, True], [True, False, False], [False, False, True]],
        [[False, False, False], [True, True, False], [False, True, True]],
    ]


def test_the_order_of_rows_does_not_matter():
    first, second = records(FIRST), records(SECOND)
    shuffled = second.sample(frac=1, random_state=0)
    assert np.array_equal(outcomes([first, shuffled]).correct, outcomes([first, second]).correct)


@pytest.mark.parametrize(
    ("seeds", "named"),
    [
        ([FIRST, {**SECOND, ("hard", "q"): "cc"}], ["hard", "problem q", "sample 2", "first"]),
        ([FIRST, {**SECOND, ("hard", "x"): "ccc"}], ["hard", "problem x", "2. records"]),
        ([FIRST, {**SECOND, ("new", "p"): "ccc"}], ["benchmark new", "problem p"]),
        ([{**FIRST, ("hard", "q"): "cwcw"}], ["hard", "problem q", "4 samples", "3"]),
        ([], ["no records"]),
        ([FIRST, {}], ["no records"]),
    ],
)
def test_seeds_that_differ_are_refused_by_name(seeds, named):
    with pytest.raises(DataError) as error:
        outcomes([records(seed) for seed in seeds])
    for word in named:
        assert word in str(error.value)


def test_a_sample_that_is_there_twice_is_refused():
    frame = records(FIRST)
    doubled = pd.concat([frame, frame.iloc[[4]]])
    with pytest.raises(DataError, match=r"hard, problem p: sample 1 is there twice"):
        outcomes([doubled])


@pytest.mark.parametrize(
    ("correct", "benchmarks", "named"),
    [
        (np.zeros((2, 3), dtype=bool), ("a",) * 3, "shape"),
        (np.zeros((2, 3, 4)), ("a",) * 3, "float64"),
        (np.zeros((0, 3, 4), dtype=bool), ("a",) * 3, "at least 1"),
        (np.zeros((2, 3, 4), dtype=bool), ("a",) * 2, "2 benchmarks for 3 problems"),
        (np.zeros((2, 1, 4), dtype=bool), ("average",), "average"),
    ],
)
def test_impossible_outcomes_are_refused(correct, benchmarks, named):
    with pytest.raises(DataError, match=named):
        Outcomes(correct, benchmarks)


@pytest.fixture
def evaluation(tmp_path, make):
    """Write records of two variants with three seeds, as the evaluate step lays them out."""

    def write(variant, single):
        for seed, correct in zip((1, 2, 10), single.correct, strict=True):
            letters = {
                (benchmark, f"p{i}"): "".join("wc"[int(one)] for one in correct[i])
                for i, benchmark in enumerate(single.benchmarks)
            }
            table = pa.Table.from_pandas(records(letters), SCHEMA, preserve_index=False)
            path = tmp_path / variant / f"seed_{seed}" / "records.parquet"
            path.parent.mkdir(parents=True)
            write_records(path, table)
        return tmp_path / variant

    return write("grpo", make(0)), write("maspo", make(0, shift=0.5, noise=1))


def test_seeds_are_found_in_numerical_order(evaluation, tmp_path):
    folder, _ = evaluation
    files = find_records([folder])
    assert [file.parent.name for file in files] == ["seed_1", "seed_2", "seed_10"]
    assert find_records([folder / "seed_2", files[0]]) == [files[1], files[0]]
    with pytest.raises(DataError, match="nowhere"):
        find_records([tmp_path / "nowhere"])


def test_the_command_prints_components_and_the_cheapest_plan(evaluation, capsys, make):
    reference, method = evaluation
    main([str(method), "--reference", str(reference), "--half-width", "0.3"])
    text = capsys.readouterr().out
    parts = variance_components(make(0, shift=0.5, noise=1), make(0))
    assert f"{parts['decoding'] ** 0.5:.4f}" in text
    assert "measured with 3 seeds, 24 problems, 8 samples" in text
    assert "completions" in text
    main([str(method), "--half-width", "0.0001"])
    assert "no plan" in capsys.readouterr().out


def test_the_command_fails_without_a_traceback(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "maspo.statistics", str(tmp_path / "none"), "--half-width", "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr
