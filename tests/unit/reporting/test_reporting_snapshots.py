"""Scores of policies on the way: the same problems from the base policy to the end."""

import pandas as pd
import pyarrow as pa
import pytest
from fabricate import STEPS, Skill, make_runs, study_data

from maspo.errors import DataError
from maspo.evaluation.records import SNAPSHOT_SCHEMA, read_records, write_records
from maspo.reporting.results import study_inputs
from maspo.reporting.snapshots import SNAPSHOTS, snapshots

SHOWN = [f"{name}{i:03}" for name in ("easy", "hard") for i in range(3)]


def write_snapshots(layout, seed, correct, problems=SHOWN):
    """Write records of steps in which whole benchmarks are right: step to benchmarks."""
    folder = layout.evaluation("grpo", seed)
    records = read_records(folder / "records.parquet")
    records = records[records.problem.isin(problems)]
    parts = []
    for step, right in correct.items():
        verdict = records.benchmark.isin(right).map({True: "correct", False: "wrong"})
        parts.append(records.assign(verdict=verdict, step=step))
    table = pa.Table.from_pandas(pd.concat(parts), SNAPSHOT_SCHEMA, preserve_index=False)
    write_records(folder / "snapshots.parquet", table)


def scored(layout, variant, seeds):
    """Return Avg@n and Pass@n of the shown problems, averaged over benchmarks."""
    files = [layout.evaluation(variant, seed) / "records.parquet" for seed in seeds]
    records = pd.concat(map(read_records, files), ignore_index=True)
    records = records[records.problem.isin(SHOWN)].assign(right=records.verdict == "correct")
    runs = records.groupby(["benchmark", "problem", "seed"]).right
    per_benchmark = [runs.agg(how).groupby("benchmark").mean().mean() for how in ("mean", "any")]
    return [float(value) for value in per_benchmark]


def test_the_way_from_the_base_policy_to_the_end(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=2)
    for seed in (1, 2):
        write_snapshots(layout, seed, {5: ["easy"], 9: ["easy", "hard"] if seed == 1 else []})
    data = study_data(layout, ["grpo"], seeds=2)
    table = snapshots(data).set_index("step")
    assert list(table.index) == [0, 5, 9, STEPS]
    assert set(table.problems) == {6}
    assert set(table.samples) == {8}
    assert table.avg_at_k[5] == pytest.approx(0.5)  # one benchmark of two
    assert table.pass_at_k[9] == pytest.approx(0.5)  # one seed of two
    for step, variant, seeds in ((0, "base", [1, 2]), (STEPS, "grpo", [1, 2])):
        assert list(table.loc[step, ["avg_at_k", "pass_at_k"]]) == pytest.approx(
            scored(layout, variant, seeds)
        )
    assert (table.avg_at_k_low <= table.avg_at_k).all()
    assert (table.avg_at_k < table.avg_at_k_high).all()
    logged = data.logged("grpo", "entropy").mean(axis=0)  # at step 1, 2, ...
    assert list(table.entropy) == pytest.approx([logged[i] for i in (0, 5, 9, STEPS - 1)])


def test_without_snapshots_there_is_a_header(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=1)
    data = study_data(layout, ["grpo"], seeds=1)
    assert snapshots(data).empty
    assert list(snapshots(data)) == SNAPSHOTS
    assert study_inputs(data.results, data.runs) == []


def test_a_table_names_the_snapshots_that_it_read(tmp_path):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=2)
    write_snapshots(layout, 1, {5: ["easy"]})
    data = study_data(layout, ["grpo"], seeds=2)
    assert study_inputs(data.results, data.runs) == [
        layout.evaluation("grpo", 1) / "snapshots.parquet"
    ]
    with pytest.raises(DataError, match=r"seed_2.snapshots\.parquet"):
        snapshots(data)  # one seed lacks them


@pytest.mark.parametrize(
    ("steps", "problems", "message"),
    [([6], SHOWN, "same train.snapshots"), ([5], SHOWN[:5], "seeds differ")],
)
def test_seeds_have_snapshots_alike(tmp_path, steps, problems, message):
    layout = make_runs(tmp_path, {"grpo": Skill()}, seeds=2)
    write_snapshots(layout, 1, {5: ["easy"]})
    write_snapshots(layout, 2, {step: ["easy"] for step in steps}, problems)
    with pytest.raises(DataError, match=message):
        snapshots(study_data(layout, ["grpo"], seeds=2))
