"""The evaluation of a run that kept policies on its way."""

import pandas as pd
import pytest

from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.evaluation.draw import evaluate_policy, snapshot_benchmarks
from maspo.evaluation.records import SNAPSHOT_SCHEMA, read_records, read_snapshots
from maspo.files import read_json
from maspo.layout import Layout
from maspo.policy import build_policy, save_policy
from maspo.steps.evaluate import evaluate
from maspo.tasks import write_problems
from maspo.tasks.modular import make_modular
from maspo.verifier import Verifier
from tests.conftest import ARCHITECTURE

RUN = ("grpo", 7)
DRAWN = ["benchmark", "problem", "sample", "seed", "text", "tokens", "answer", "gold", "verdict"]


@pytest.fixture
def evaluated(tmp_path, tiny_policy):
    """Evaluate a made-up run with two policies on its way; return its parts."""
    _, tokenizer = tiny_policy
    layout = Layout(tmp_path / "results")
    overrides = ["task.benchmark_lengths=[2,3]", "evaluate.snapshot_problems=3"]
    overrides += [f"results={layout.root}", "variant=grpo", "seed=7"]
    experiment = load_experiment(["scale=smoke", *overrides])
    benchmarks = make_modular(experiment.task).benchmarks
    for name, problems in benchmarks.items():
        write_problems(layout.data / "benchmarks" / f"{name}.parquet", problems)
    folders = [layout.snapshot(*RUN, step) for step in (2, 4)] + [layout.policy(*RUN)]
    for seed, folder in enumerate(folders):
        save_policy(folder, build_policy(ARCHITECTURE, tokenizer, seed), tokenizer)
    evaluate(experiment)
    return experiment, layout, benchmarks


def test_snapshots_are_drawn_as_their_policies_alone_would(evaluated):
    experiment, layout, benchmarks = evaluated
    folder = layout.evaluation(*RUN)
    snapshots = read_snapshots(folder / "snapshots.parquet")
    few = [problem.id for problems in benchmarks.values() for problem in problems[:3]]
    assert len(snapshots) == 2 * len(few) * experiment.evaluate.samples
    sources = {2: layout.snapshot(*RUN, 2), 4: layout.snapshot(*RUN, 4), 6: layout.policy(*RUN)}
    texts = []
    with Verifier(rules=experiment.task.extraction) as verifier:
        for step, source in sources.items():
            alone = evaluate_policy(experiment, verifier, source, benchmarks).to_pandas()
            if step == 6:
                found = read_records(folder / "records.parquet")
            else:
                found = snapshots[snapshots.step == step].reset_index(drop=True)
                assert list(dict.fromkeys(found.problem)) == few
                alone = alone[alone.problem.isin(few)].reset_index(drop=True)
            pd.testing.assert_frame_equal(found[DRAWN], alone[DRAWN])
            texts.append(tuple(found.text))
    assert len(set(texts)) == 3


def test_the_manifest_names_every_policy_and_both_files(evaluated):
    _, layout, _ = evaluated
    manifest = read_json(layout.evaluation(*RUN) / "manifest.json")
    runs, evaluation = "runs/grpo/seed_7", "evaluation/grpo/seed_7"
    policies = {f"{runs}/policy", f"{runs}/snapshots/step_2", f"{runs}/snapshots/step_4"}
    benchmarks = {"data/benchmarks/terms2.parquet", "data/benchmarks/terms3.parquet"}
    assert set(manifest["inputs"]) == policies | benchmarks
    files = {f"{evaluation}/records.parquet", f"{evaluation}/snapshots.parquet"}
    assert set(manifest["outputs"]) == files
    assert manifest["seeds"] == {"evaluate": 7}


def test_a_base_policy_has_no_snapshots(evaluated, tiny_policy):
    experiment, layout, _ = evaluated
    save_policy(layout.policy("base", 7), *tiny_policy)
    experiment.variant = "base"
    evaluate(experiment)
    names = {path.name for path in layout.evaluation("base", 7).iterdir()}
    assert names == {"records.parquet", "manifest.json"}


def test_records_are_no_snapshots(evaluated):
    _, layout, _ = evaluated
    folder = layout.evaluation(*RUN)
    assert list(read_snapshots(folder / "snapshots.parquet")) == SNAPSHOT_SCHEMA.names
    with pytest.raises(DataError, match=r"records\.parquet has columns"):
        read_snapshots(folder / "records.parquet")
    with pytest.raises(DataError, match=r"snapshots\.parquet has columns"):
        read_records(folder / "snapshots.parquet")


def test_few_problems_are_the_first_of_each_benchmark():
    settings = load_experiment(["scale=smoke", "evaluate.snapshot_problems=2"]).evaluate
    benchmarks = {"a": ["a1", "a2", "a3"], "b": ["b1", "b2"]}
    assert snapshot_benchmarks(benchmarks, settings) == {"a": ["a1", "a2"], "b": ["b1", "b2"]}
    with pytest.raises(ConfigError, match=r"snapshot_problems=2: benchmark b has 1 problems"):
        snapshot_benchmarks({**benchmarks, "b": ["b1"]}, settings)
