"""Facts that training gained, lost, found and let vanish, from texts written by hand."""

import numpy as np
import pyarrow as pa
import pytest
from fabricate import study_data

from maspo.evaluation.records import SCHEMA, write_records
from maspo.layout import Layout
from maspo.reporting.facts import FACTS, facts
from maspo.reporting.results import study_inputs
from maspo.statistics import seed_mean
from maspo.tasks import Problem, write_problems

TABLE = "fact,result,held_out\n0+2,2,0\n0+3,3,0\n0+4,4,0\n0+5,5,0\n2+3,5,0\n0*2,0,1\n0*3,0,1\n"
QUESTIONS = ["0+2?", "0+3?", "0+4?", "0+5?", "0+2+3?", "0*2?", "0*3?"]
# Of 10 completions of each question; the base attempts every fact but 2+3.
BASE = {
    "0+2?": ["+2=2"] * 2 + ["+2=3"] * 8,
    "0+3?": ["+3=3"] * 6 + ["+3=4"] * 4,
    "0+4?": ["+4=5"] * 10,
    "0+5?": ["+5=5"] + ["+5=6"] * 9,
    "0+2+3?": ["?"] * 10,
    "0*2?": ["*2=0"] * 10,
    "0*3?": ["*3=0"] * 9 + ["*3=1"],
}
TRAINED = {
    "0+2?": ["+2=2"] * 8 + ["+2=3"] * 2,  # gained: 0.2 to (8 + 5) / (10 + 10)
    "0+3?": ["+3=3"] * 4 + ["+3=4"] * 6,  # lost: 0.6 to 0.4
    "0+4?": ["+4=4"] + ["+4=5"] * 9,  # found
    "0+5?": ["+5=6"] * 10,  # vanished
    "0+2+3?": ["+2=2+3=5"] * 5 + ["+2=9+3=5"] * 5,  # 2+3 five times; 9+3 is no fact here
    "0*2?": [""] * 10,  # unmet
    "0*3?": ["*3=0"] * 10,
}


def write(layout, variant, seed, texts):
    """Write the records of a policy that answers each question with the given texts."""
    columns = {name: [] for name in SCHEMA.names}
    for question, answers in texts.items():
        for sample, text in enumerate(answers):
            row = {"benchmark": "terms", "problem": Problem.create(question, "", "").id}
            row |= {"sample": sample, "seed": seed, "text": text, "tokens": 5, "answer": None}
            for name, value in (row | {"gold": "0", "verdict": "wrong"}).items():
                columns[name].append(value)
    path = layout.evaluation(variant, seed) / "records.parquet"
    write_records(path, pa.table(columns, schema=SCHEMA))


@pytest.fixture
def layout(tmp_path):
    """Return results with the facts, the questions and what two base policies say."""
    layout = Layout(tmp_path)
    (layout.data / "benchmarks").mkdir(parents=True)
    (layout.data / "facts.csv").write_text(TABLE)
    problems = [Problem.create(question, "0", "terms") for question in QUESTIONS]
    write_problems(layout.data / "benchmarks" / "terms.parquet", problems)
    for seed in (1, 2):
        write(layout, "base", seed, BASE)
    return layout


def of(table, held_out, base_bin):
    (row,) = table[(table.held_out == held_out) & (table.base_bin == base_bin)].itertuples()
    return row


def counts(row):
    return [row.facts, row.gained, row.lost, row.found, row.vanished, row.unmet]


def test_every_fate_of_a_fact_is_counted(layout):
    write(layout, "grpo", 1, TRAINED)
    table = facts(study_data(layout, ["grpo"], seeds=1, base_seeds=(1,)))
    assert list(table) == FACTS
    assert counts(of(table, 0, "attempted")) == [4, 1, 1, 1, 1, 0]
    assert counts(of(table, 0, "never right")) == [1, 0, 0, 1, 0, 0]  # 0+4
    assert counts(of(table, 0, "below 10 %")) == [0, 0, 0, 0, 0, 0]
    assert counts(of(table, 0, "10 to 50 %")) == [2, 1, 0, 0, 1, 0]  # 0+2, and 0+5 at 10 %
    assert counts(of(table, 0, "50 to 90 %")) == [1, 0, 1, 0, 0, 0]  # 0+3
    assert counts(of(table, 0, "no attempt")) == [1, 0, 0, 0, 0, 0]  # 2+3
    assert counts(of(table, 1, "90 % and above")) == [2, 0, 0, 0, 0, 1]  # 0*2 is unmet
    row = of(table, 0, "10 to 50 %")
    assert row.base_accuracy == pytest.approx((0.2 + 0.1) / 2)
    assert row.trained_accuracy == pytest.approx((13 / 20 + 0) / 2)
    row = of(table, 1, "90 % and above")
    assert (row.base_accuracy, row.trained_accuracy) == (0.9, 1)  # of 0*3, which both attempted
    row = of(table, 0, "no attempt")
    assert np.isnan(row.base_accuracy)
    assert row.trained_accuracy == 1


def test_seeds_are_compared_with_their_own_base_and_averaged(layout):
    write(layout, "grpo", 1, TRAINED)
    write(layout, "grpo", 2, BASE)  # has learned nothing
    table = facts(study_data(layout, ["grpo"], seeds=2, base_seeds=(1, 2)))
    row = of(table, 0, "attempted")
    assert (row.facts, row.gained, row.vanished) == (4, 0.5, 0.5)
    assert row.gained_low == 0  # no count is below 0
    assert row.gained_high == pytest.approx(seed_mean(np.array([1.0, 0.0]), 0.95)[2])
    assert row.base_accuracy == pytest.approx((0.2 + 0.6 + 0 + 0.1) / 4)
    write(layout, "base", 3, TRAINED)
    write(layout, "grpo", 3, TRAINED)
    data = study_data(layout, ["grpo"], seeds=1, first_seed=3, base_seeds=(3,))
    assert counts(of(facts(data), 0, "attempted")) == [5, 0, 0, 0, 0, 0]


def test_a_table_names_what_it_read_of_the_task(layout):
    write(layout, "grpo", 1, TRAINED)
    data = study_data(layout, ["grpo"], seeds=1, base_seeds=(1,))
    assert study_inputs(data.results, data.runs) == [
        layout.data / "facts.csv",
        layout.data / "benchmarks" / "terms.parquet",
    ]


def test_other_tasks_have_no_facts(layout):
    (layout.data / "facts.csv").unlink()
    data = study_data(layout, ["grpo"], seeds=1, base_seeds=(1,))
    assert facts(data).empty
    assert list(facts(data)) == FACTS
    assert study_inputs(data.results, data.runs) == []
