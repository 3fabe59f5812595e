"""The real task on small files in the hub's layout."""

import io
import json

import pandas as pd
import pytest
from hub_layout import (
    BEFORE,
    BEHIND,
    DAPO,
    FLOWRL,
    TESTS,
    TRAINING,
    overrides,
    row,
    write,
    write_hub,
    write_json_lines,
)
from hypothesis import given
from hypothesis import strategies as st

from benchmark_files import BENCHMARKS
from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.files import sha256
from maspo.tasks import Problem
from maspo.tasks.hub_task import collect, make_hub, spelling
from maspo.tasks.rows import Row

TASK = load_experiment(["scale=gpu"]).task
BOXED = "\n\nPlease reason step by step, and put your final answer within \\boxed{}."
ROWS = st.lists(
    st.builds(Row, st.sampled_from(["p", "q", "r s"]), st.sampled_from("12"), st.just("x")),
    max_size=20,
)


def make(folder, *more):
    return make_hub(load_experiment(overrides(folder, *more)).task)


def report_of(made):
    return json.loads(made.texts["report.json"])


@given(ROWS)
def test_every_question_is_kept_once_with_its_first_answer(rows):
    found = collect(rows, "x", TASK)
    first = {}
    for line in rows:
        first.setdefault(line.question, line.answer)
    assert list(found.bare.values()) == list(first)
    assert [problem.answer for problem in found.problems.values()] == list(first.values())
    assert found.rows == len(rows)


@given(ROWS)
def test_deduplication_is_idempotent(rows):
    once = collect(rows, "x", TASK)
    again = collect(
        [Row(once.bare[p.id], p.answer, "x") for p in once.problems.values()], "x", TASK
    )
    assert list(again.problems.values()) == list(once.problems.values())
    assert again.conflicts == {}


@given(st.sampled_from(["", "  ", BEFORE]), st.sampled_from(["", "\n", BEHIND, BOXED]))
def test_an_id_depends_on_the_question_and_not_on_its_wrapping(before, behind):
    (key,) = collect([Row(before + "What is $x$?" + behind, "1", "s")], "name", TASK).problems
    assert key == Problem.create("What is $x$?" + BOXED, "2", "other").id


def test_an_id_is_the_same_in_every_version():
    assert Problem.create("What is $1+1$?" + BOXED, "2", "x").id == "ea00255b0ad9b40a"


def test_training_is_deduplicated_and_stripped(tmp_path):
    made = make(write_hub(tmp_path, repeats=7))
    assert [p.messages[0]["content"] for p in made.training] == [q + BOXED for q, _ in TRAINING]
    assert [p.answer for p in made.training] == [a for _, a in TRAINING]
    training = report_of(made)["training"]
    assert (training["rows"], training["problems"]) == (28, 4)
    assert made.inputs == [tmp_path / FLOWRL, tmp_path / DAPO]


def test_benchmarks_are_told_apart_by_their_data_source(tmp_path):
    made = make(write_hub(tmp_path))
    assert tuple(made.benchmarks) == BENCHMARKS
    for name, pairs in zip(BENCHMARKS, TESTS.values(), strict=True):
        found = [(p.messages[0]["content"], p.answer) for p in made.benchmarks[name]]
        assert found == [(q + BOXED, a) for q, a in pairs]
        assert {p.source for p in made.benchmarks[name]} == {name}


def test_answers_in_conflict_are_reported_and_the_first_stays(tmp_path):
    made = make(write_hub(tmp_path, training=[("Q?", "1"), ("Q?", "2"), ("Q?", "1")]))
    assert [p.answer for p in made.training] == ["1"]
    assert report_of(made)["training"]["conflicting_answers"] == {made.training[0].id: ["2"]}


def test_contaminated_training_problems_are_listed_and_excluded_by_the_switch(tmp_path):
    write_hub(tmp_path)
    kept = make(tmp_path)
    clean = make(tmp_path, "task.exclude_contaminated=true")
    assert [p.answer for p in kept.training] == ["2", "4", "11", "49"]
    assert [p.answer for p in clean.training] == ["2", "4"]
    assert kept.benchmarks == clean.benchmarks
    matches = pd.read_csv(io.StringIO(kept.texts["decontamination_matches.csv"]))
    answer = {p.id: p.answer for p in kept.training}
    listed = [
        (answer[m.training_id], m.benchmark, m.exact, m.contaminated) for m in matches.itertuples()
    ]
    assert listed == [("49", "amc23", True, True), ("11", "aime24", False, True)]
    assert list(matches["benchmark_id"]) == [
        kept.benchmarks["amc23"][0].id,
        kept.benchmarks["aime24"][0].id,
    ]
    summary = pd.read_csv(io.StringIO(kept.texts["decontamination.csv"])).set_index("benchmark")
    assert summary.loc["aime24", ["exact", "ngram", "contaminated"]].tolist() == [0, 1, 1]
    assert "**kept in**" in kept.texts["decontamination.md"]
    assert "**excluded from**" in clean.texts["decontamination.md"]
    training = report_of(clean)["training"]
    assert (training["contaminated"], training["excluded"], training["kept"]) == (2, 2, 2)


def test_a_stricter_share_keeps_more(tmp_path):
    made = make(write_hub(tmp_path), "task.exclude_contaminated=true", "task.contaminated_share=1")
    assert [p.answer for p in made.training] == ["2", "4", "11"]


def test_nothing_left_to_train_on_is_an_error(tmp_path):
    write_hub(tmp_path, training=[("What is $(7)$ squared?", "49")])
    with pytest.raises(DataError, match="no training problem is left"):
        make(tmp_path, "task.exclude_contaminated=true")


def test_an_unknown_spelling_lists_those_found(tmp_path):
    tests = {("ame-24" if s == "aime2024" else s): pairs for s, pairs in TESTS.items()}
    write_hub(tmp_path, tests=tests)
    with pytest.raises(DataError) as error:
        make(tmp_path)
    for word in ("['aime24']", "'ame-24': 1", "'math500': 1", "task.sources", FLOWRL):
        assert word in str(error.value)
    made = make(tmp_path, "task.sources.aime24=[AME 24]")
    assert len(made.benchmarks["aime24"]) == 1


def test_other_sources_are_reported(tmp_path):
    write_hub(tmp_path, tests={**TESTS, "gpqa": [("Q?", "A")]})
    assert report_of(make(tmp_path))["ignored_sources"] == {"gpqa": 1}


def test_spellings_forget_case_and_signs():
    assert spelling("HuggingFaceH4/MATH-500") == spelling("huggingfaceh4_math_500")
    known = [{spelling(s) for s in [name, *names]} for name, names in TASK.sources.items()]
    assert sum(map(len, known)) == len(set.union(*known))


def test_files_without_a_question_are_refused(tmp_path):
    write_hub(tmp_path, training=[(" ", "1")])
    with pytest.raises(DataError, match=r"BytedTsinghua-SIA/DAPO-Math-17k, row 1: no question"):
        make(tmp_path)


def test_the_source_of_a_training_problem_is_its_data_set(tmp_path):
    write_hub(tmp_path)
    assert {problem.source for problem in make(tmp_path).training} == {
        "BytedTsinghua-SIA/DAPO-Math-17k"
    }
    own = tmp_path / "somebody" / "sums" / "sums.parquet"
    own.parent.mkdir(parents=True)
    (tmp_path / DAPO).rename(own)
    made = make(tmp_path, "task.training.repo=somebody/sums", "task.training.file=sums.parquet")
    assert {problem.source for problem in made.training} == {"somebody/sums"}


def test_the_report_tells_files_by_checksum(tmp_path):
    write_hub(tmp_path)
    digest = sha256(tmp_path / DAPO)
    report = report_of(make(tmp_path, f"task.training.sha256={digest}"))
    assert report["training_file"]["sha256"] == digest
    assert report["training_file"]["pinned"]
    assert not report["evaluation"]["pinned"]
    assert report["evaluation"]["revision"] == "main"


def test_benchmark_files_take_the_place_of_the_evaluation_file(tmp_path):
    write_hub(tmp_path)
    (tmp_path / FLOWRL).unlink()
    rows = {name: [{"problem": f"{name}?", "answer": 27.0}] for name in BENCHMARKS}
    rows["olympiadbench"] = [{"question": "Q?", "final_answer": ["1", "2"]}]
    folder = write_json_lines(tmp_path / "files", rows)
    made = make(tmp_path, f"task.benchmark_files={folder}")
    assert [made.benchmarks[name][0].answer for name in BENCHMARKS] == ["27"] * 5 + ["1, 2"]
    assert len(made.inputs) == 7
    (folder / "amc23.jsonl").unlink()
    with pytest.raises(DataError, match=r"task\.benchmark_files=.*amc23\.jsonl"):
        make(tmp_path, f"task.benchmark_files={folder}")


def test_a_row_of_another_form_is_named(tmp_path):
    write_hub(tmp_path)
    write(tmp_path / DAPO, [row("Q?", "1", "math_dapo"), row("Q?", " ", "math_dapo")])
    with pytest.raises(DataError, match=r"dapo-math-17k\.parquet, row 2: there is no gold answer"):
        make(tmp_path)


def test_training_problems_may_be_json_lines(tmp_path):
    folder = write_hub(tmp_path / "hub")
    lines = [{"problem": "What is $1+1$?", "answer": 2}, {"question": "And $2+2$?", "answer": "4"}]
    write_json_lines(folder / "own" / "set", {"train": lines})
    where = ["task.training.repo=own/set", "task.training.file=train.jsonl"]
    made = make_hub(load_experiment(overrides(folder, *where)).task)
    assert [problem.answer for problem in made.training] == ["2", "4"]
    assert made.training[0].messages[0]["content"].startswith("What is $1+1$?")
    assert made.training[0].source == "own/set"


def test_a_line_without_an_answer_is_named(tmp_path):
    folder = write_hub(tmp_path / "hub")
    write_json_lines(folder / "own" / "set", {"train": [{"problem": "What is $1+1$?"}]})
    where = ["task.training.repo=own/set", "task.training.file=train.jsonl"]
    with pytest.raises(DataError, match=r"train\.jsonl, row 1"):
        make_hub(load_experiment(overrides(folder, *where)).task)


def test_examples_are_earlier_turns_of_every_prompt(tmp_path):
    example = "{problem: 'What is $2+3$?', answer: '\\boxed{5}'}"
    folder = write_hub(tmp_path / "hub")
    made = make_hub(load_experiment(overrides(folder, f"task.examples=[{example}]")).task)
    plain = make_hub(load_experiment(overrides(folder)).task)
    for problems in (made.training, made.benchmarks["aime24"]):
        first, said, asked = problems[0].messages
        assert (first["role"], said["role"], asked["role"]) == ("user", "assistant", "user")
        assert first["content"].startswith("What is $2+3$?")
        assert first["content"].endswith(asked["content"][-40:])  # the same instruction
        assert said["content"] == "\\boxed{5}"
    assert made.training[0].messages[-1] == plain.training[0].messages[0]
    assert made.training[0].id != plain.training[0].id


@pytest.mark.parametrize(
    ("example", "named"),
    [
        ("{problem: 'What?'}", "answer"),
        ("{problem: ' ', answer: '5'}", "task.examples: problem"),
        ("{problem: 'What?', answer: '5', role: 'user'}", "role"),
        ("5", "examples"),
    ],
)
def test_a_bad_example_is_refused(example, named):
    with pytest.raises(ConfigError, match=named):
        load_experiment(["scale=gpu", f"task.examples=[{example}]"])
