"""What is shared is read by those who it is for: transformers, datasets, the hub, lighteval."""

import json
import re

import pyarrow.parquet as pq
import pytest
import torch
from huggingface_hub import DatasetCard, ModelCard

from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.evaluation.records import read_records
from maspo.evaluation.scores import score
from maspo.policy import load_policy
from maspo.sharing import hub
from maspo.sharing.data import PROBLEM_COLUMNS, RECORD_COLUMNS, share_data, share_evaluations
from maspo.sharing.details import share_details
from maspo.sharing.policy import share_policy
from maspo.tasks import read_problems

SETTINGS = (
    *(
        "scale=smoke",
        "variant=maspo",
        "seed=1",
        "evaluate.samples=3",
        "evaluate.snapshot_problems=1",
    ),
    *("train.steps=1", "train.snapshots=[]", "model.supervised.steps=20"),
    *("model.supervised.warmup_steps=2", "task.benchmark_problems=2"),
)
TASKS = [f"terms{n}" for n in range(2, 8)]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Return a results folder with one run and its evaluation."""
    from maspo.steps import base, data, evaluate, train

    root = tmp_path_factory.mktemp("shared") / "results"
    threads = torch.get_num_threads()
    experiment = load_experiment([*SETTINGS, f"results={root}"])
    for step in (data.data, base.base, train.train, evaluate.evaluate):
        step(experiment)
    torch.set_num_threads(threads)
    return root


@pytest.fixture
def load(tmp_path, monkeypatch):
    """Return `load_dataset` without the hub and with a cache of its own."""
    from datasets import load_dataset

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return lambda *a, **k: load_dataset(*a, cache_dir=str(tmp_path / "cache"), **k)


def test_a_policy_is_loaded_by_transformers_and_its_card_tells_its_scores(results, tmp_path):
    target = tmp_path / "policy"
    share_policy(results, "maspo", 1, target)
    shared, tokenizer = load_policy(target)
    ours, _ = load_policy(results / "runs" / "maspo" / "seed_1" / "policy")
    pairs = zip(shared.state_dict().values(), ours.state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    assert tokenizer("1+2")["input_ids"]
    card = ModelCard.load(target / "README.md")
    assert (card.data.license, card.data.library_name) == ("apache-2.0", "transformers")
    records = read_records(results / "evaluation/maspo/seed_1/records.parquet")
    expected = score(records).set_index("benchmark")
    found = {(r.dataset_name, r.metric_type): r.metric_value for r in card.data.eval_results}
    assert len(found) == 12
    for (benchmark, kind), value in found.items():
        assert value == pytest.approx(expected.loc[benchmark, kind], abs=1e-6)
    assert "objective `Maspo`" in card.text
    assert "(#" not in card.text
    assert (target / "manifest.json").is_file()


def test_a_base_policy_that_was_not_evaluated_has_no_results(results, tmp_path):
    share_policy(results, "base", 1, tmp_path / "base")
    card = ModelCard.load(tmp_path / "base" / "README.md")
    assert card.data.eval_results is None
    assert "A base policy, before RL" in card.text
    assert "## Results" not in card.text


def test_files_of_another_origin_are_not_shared(results, tmp_path):
    policy = results / "runs/maspo/seed_1/policy/config.json"
    kept = policy.read_text()
    policy.write_text(kept + " ")
    try:
        with pytest.raises(DataError, match="is not what its manifest describes: audit"):
            share_policy(results, "maspo", 1, tmp_path / "policy")
        assert not (tmp_path / "policy").exists()
    finally:
        policy.write_text(kept)
    with pytest.raises(DataError, match=r"has no manifest\.json"):
        share_policy(results, "grpo", 1, tmp_path / "policy")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine.txt").write_text("mine")
    with pytest.raises(DataError, match="is there already"):
        share_data(results, tmp_path / "full")


def test_problems_are_loaded_by_name(results, tmp_path, load):
    share_data(results, tmp_path / "data")
    for name, split, file in (
        ("train", "train", "train.parquet"),
        ("terms3", "test", "benchmarks/terms3.parquet"),
    ):
        rows = load(str(tmp_path / "data"), name, split=split)
        problems = read_problems(results / "data" / file)
        assert rows["id"] == [problem.id for problem in problems]
        assert rows[0]["messages"] == list(problems[0].messages)
        assert rows.column_names == list(PROBLEM_COLUMNS)
    names = [
        config["config_name"]
        for config in DatasetCard.load(tmp_path / "data/README.md").data.configs
    ]
    assert sorted(names) == sorted(["all", "train", *TASKS])


def test_completions_are_loaded_with_the_policy_that_wrote_them(results, tmp_path, load):
    share_evaluations(results, tmp_path / "records")
    ours = read_records(results / "evaluation/maspo/seed_1/records.parquet")
    for name in ("all", "maspo"):
        rows = load(str(tmp_path / "records"), name, split="test")
        assert rows.column_names == list(RECORD_COLUMNS)
        assert rows["text"] == ours["text"].tolist()
        assert set(rows["variant"]) == {"maspo"}
        assert set(rows["run"]) == {1}


def test_records_are_loaded_as_they_lie(results, load):
    path = str(results / "evaluation/*/seed_*/records.parquet")
    rows = load("parquet", data_files=path, split="train")
    verdicts = read_records(results / "evaluation/maspo/seed_1/records.parquet")["verdict"]
    assert rows["verdict"] == verdicts.tolist()


def test_details_have_the_form_and_the_figures_of_lighteval(results, tmp_path):
    share_details(results, "maspo", 1, tmp_path / "le")
    (place,) = (tmp_path / "le" / "details" / "maspo-seed-1").iterdir()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d", place.name)
    files = sorted(place.iterdir())
    assert [file.name for file in files] == [f"details_{t}|0_{place.name}.parquet" for t in TASKS]
    (file,) = (tmp_path / "le" / "results" / "maspo-seed-1").iterdir()
    means = json.loads(file.read_text())["results"]
    records = read_records(results / "evaluation/maspo/seed_1/records.parquet")
    expected = score(records).set_index("benchmark")
    for path, task in zip(files, TASKS, strict=True):
        rows = pq.read_table(path).to_pylist()
        assert len(rows) == 2
        for row in rows:
            of_problem = records[records["problem"] == row["doc"]["id"]].sort_values("sample")
            assert row["model_response"]["text"] == of_problem["text"].tolist()
            assert row["doc"]["choices"] == [of_problem["gold"].iloc[0]]
            right = of_problem["verdict"].eq("correct").mean()
            assert row["metric"] == {"avg@n:n=3": right, "pass@k:k=3&n=3": float(right > 0)}
        assert means[f"{task}|0"]["avg@n:n=3"] == expected.loc[task, "avg_at_k"]
    assert means["all"]["avg@n:n=3"] == pytest.approx(expected["avg_at_k"].mean())


def test_lighteval_reads_the_details(results, tmp_path, monkeypatch):
    tracking = pytest.importorskip("lighteval.logging.evaluation_tracker")
    from lighteval.models.model_output import ModelResponse
    from lighteval.tasks.requests import Doc

    share_details(results, "maspo", 1, tmp_path / "le")
    tracker = tracking.EvaluationTracker(output_dir=str(tmp_path / "le"))
    tracker.general_config_logger.model_name = "maspo-seed-1"
    loaded = tracker.load_details_datasets("last", TASKS)
    assert len(loaded) == 6
    for rows in loaded.values():
        for row in rows:
            doc, response = Doc(**row["doc"]), ModelResponse(**row["model_response"])
            assert doc.get_golds() == doc.choices
            assert len(response.text) == doc.num_samples == 3


class Hub:
    """Stands in for the hub's client; no hub is asked here."""

    calls = None

    def create_repo(self, repository, **options):
        self.calls.append(("create", repository, options))

    def upload_folder(self, **options):
        self.calls.append(("upload", options))
        return type("Commit", (), {"commit_url": "https://hub/commit"})()


def test_an_upload_takes_the_listed_files_alone(results, tmp_path, monkeypatch):
    target = tmp_path / "policy"
    share_policy(results, "maspo", 1, target)
    (target / ".token").write_text("secret")
    planned = hub.plan_upload(target, "someone/maspo")
    names = [name for name, _ in planned.files]
    assert {"README.md", "config.json", "model.safetensors", "manifest.json"} <= set(names)
    assert ".token" not in names
    assert planned.kind == "model"
    sizes = {name: (target / name).stat().st_size for name in names}
    assert dict(planned.files) == sizes
    monkeypatch.setattr(hub, "HfApi", Hub)
    monkeypatch.setattr(Hub, "calls", [])
    assert hub.upload(target, planned, private=True) == "https://hub/commit"
    (_, repository, made), (_, sent) = Hub.calls
    assert (repository, made["private"], made["repo_type"]) == ("someone/maspo", True, "model")
    assert sent["allow_patterns"] == names


def test_what_is_not_to_be_uploaded_is_refused(results, tmp_path):
    with pytest.raises(DataError, match=r"no README\.md"):
        hub.plan_upload(results, "someone/results")
    share_data(results, tmp_path / "data")
    assert hub.plan_upload(tmp_path / "data", "someone/data").kind == "dataset"
    for name in ("maspo", "a/b/c", "someone/bad name"):
        with pytest.raises(ConfigError, match=name):
            hub.plan_upload(tmp_path / "data", name)
    (tmp_path / "data" / "home").symlink_to(tmp_path / "data" / "train.parquet")
    with pytest.raises(DataError, match="is a link"):
        hub.plan_upload(tmp_path / "data", "someone/data")
