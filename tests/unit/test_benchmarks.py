"""The benchmarks' bookkeeping: summaries, turns, stored results and what is flagged as worse."""

import json

import numpy as np
import pytest

from benchmarks import growth, history
from benchmarks.__main__ import markdown
from benchmarks.harness import Measurement, Report, interleaved, ratios


def result(median, unit="s", lower=True, fixed=1.0, date="2026-11-22T10:00:00", **environment):
    """A stored result of one benchmark with one measurement."""
    measurement = Measurement("it", [median, median, median], unit, lower)
    machine = {"processor": "P", "logical_cores": 2, "accelerator": None, "threads": 1}
    machine |= {"memory_gib": 8, "load_average": 0.5, "versions": {"torch": "2.13.0"}}
    machine |= {"commit": "abc", "changed_files": 0, **environment}
    return {
        "date": date,
        "quick": False,
        "environment": machine,
        "fixed_work": Measurement("fixed work", [fixed]).summary(),
        "benchmarks": {"bench": {**Report("Bench", [measurement]).stored(), "seconds": 1.0}},
    }


def only_change(new, old):
    (change,) = history.changes(new, old, "bench")
    return change


def test_a_summary_is_median_and_quartiles():
    summary = Measurement("m", [5.0, 1.0, 2.0, 4.0, 3.0]).summary()
    assert (summary["low"], summary["median"], summary["high"]) == (2.0, 3.0, 4.0)
    assert Measurement("m", [7.0]).summary()["high"] == 7.0


def test_sides_take_turns_and_the_first_ones_are_not_counted():
    calls = []
    sides = {name: lambda n=name: calls.append(n) for name in "ab"}
    seconds = interleaved(sides, repetitions=3, warmup=1)
    assert [sorted(calls[i : i + 2]) for i in range(0, 8, 2)] == [["a", "b"]] * 4
    assert calls[0:2] != calls[2:4]
    assert [len(values) for values in seconds.values()] == [3, 3]
    assert ratios([2.0, 9.0], [1.0, 3.0]) == [2.0, 3.0]


@pytest.mark.parametrize(
    ("before", "now", "unit", "lower", "flagged"),
    [
        (1.0, 1.09, "s", True, False),
        (1.0, 1.11, "s", True, True),
        (1.0, 0.5, "s", True, False),
        (100.0, 95.0, "/s", False, False),
        (100.0, 88.0, "/s", False, True),
        (100.0, 200.0, "/s", False, False),
        (50.0, 60.0, "MiB", True, True),
        (3.0, 2.5, "x", False, True),
    ],
)
def test_over_ten_percent_worse_is_flagged(before, now, unit, lower, flagged):
    change = only_change(result(now, unit, lower), result(before, unit, lower))
    assert change.flagged is flagged


@pytest.mark.parametrize(
    ("unit", "lower", "now", "worse"),
    [("s", True, 1.5, 0.0), ("/s", False, 1 / 1.5, 0.0), ("MiB", True, 1.5, 0.5)],
)
def test_a_slower_machine_is_no_regression_of_times_and_rates(unit, lower, now, worse):
    change = only_change(result(now, unit, lower, fixed=1.5), result(1.0, unit, lower))
    assert change.worse == pytest.approx(worse)


def test_a_measurement_of_another_unit_is_not_compared():
    assert history.changes(result(1.0, "ms"), result(1.0, "s"), "bench") == []


def test_the_last_result_of_this_machine_and_size_is_found(tmp_path):
    stored = {
        "2026-11-20_100000": result(1.0),
        "2026-11-21_100000": result(2.0),
        "2026-11-22_100000": result(3.0, processor="another"),
        "2026-11-23_100000": {**result(4.0), "quick": True},
        "2026-11-24_100000": {**result(5.0), "benchmarks": {}},
    }
    for stem, content in stored.items():
        (tmp_path / f"{stem}.json").write_text(json.dumps(content))
    found = history.previous(tmp_path, "bench", result(1.0))
    assert found == stored["2026-11-21_100000"]
    assert history.previous(tmp_path, "other", result(1.0)) is None


def test_the_table_names_what_became_worse(tmp_path):
    assert "worse**" not in markdown(result(2.0), tmp_path)
    (tmp_path / "2026-11-21_100000.json").write_text(json.dumps(result(1.0)))
    assert "| it | 2 | [2, 2] | s | 3 | +100.0 % **worse** |" in markdown(result(2.0), tmp_path)
    assert "-50.0 %" in markdown(result(0.5), tmp_path)


def test_the_exponent_of_a_power_law_is_found():
    sizes = np.array([2.0, 4.0, 8.0])
    assert growth.exponent(sizes, 3 * sizes**1.5) == pytest.approx(1.5)
