"""Avg@k, Pass@k, best@k: against enumeration, and from records alone."""

from itertools import combinations, product
from math import comb
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from maspo.config import load_experiment
from maspo.errors import DataError
from maspo.evaluation import avg_at_k, best_at_k, draw, pass_at_k
from maspo.evaluation.draw import draw_records
from maspo.evaluation.records import SCHEMA, read_records, write_records
from maspo.evaluation.scores import score
from maspo.sampling.transformers import TransformersSampler
from maspo.seeding import derive_seed
from maspo.verifier import Verifier


@pytest.mark.parametrize(("c", "n", "k"), [(c, 5, k) for c in range(6) for k in range(1, 6)])
def test_estimators_equal_enumeration(c, n, k):
    outcomes = [1] * c + [0] * (n - c)
    without = np.mean([max(drawn) for drawn in combinations(outcomes, k)])
    replaced = np.mean([max(drawn) for drawn in product(outcomes, repeat=k)])
    assert pass_at_k([c], n, k)[0] == pytest.approx(without, abs=1e-12)
    assert best_at_k([c], n, k)[0] == pytest.approx(replaced, abs=1e-12)
    assert avg_at_k([c], n)[0] == c / n


@given(
    st.integers(1, 64).flatmap(
        lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(1, n))
    )
)
def test_pass_at_k_identities(case):
    c, n, k = case
    value = pass_at_k([c], n, k)[0]
    assert value == pytest.approx(1 - comb(n - c, k) / comb(n, k), abs=1e-12)
    assert pass_at_k([c], n, 1)[0] == pytest.approx(avg_at_k([c], n)[0])
    assert pass_at_k([c], n, n)[0] == (c > 0)
    assert best_at_k([c], n, k)[0] <= value + 1e-12


def test_published_pass_at_32_cannot_be_any_of_32():
    """74.8 % of AIME24's 30 problems is no whole number of problems (paper, facts 2)."""
    assert not any(round(100 * solved / 30, 1) == 74.8 for solved in range(31))


@pytest.mark.parametrize(
    ("correct", "n", "k"),
    [([3], 2, 1), ([-1], 2, 1), ([0.5], 2, 1), ([1], 2, 3), ([], 2, 1), ([1], 2, 0)],
)
def test_impossible_counts_are_refused(correct, n, k):
    with pytest.raises(ValueError, match=r"k=|correct="):
        pass_at_k(correct, n, k)


def table(verdicts, benchmark="terms2"):
    """Return records of problems given as strings of verdict letters, c and w."""
    names = {"c": "correct", "w": "wrong", "n": "no_answer", "t": "timeout"}
    rows = [
        {
            "benchmark": benchmark,
            "problem": f"p{i}",
            "sample": sample,
            "seed": 1,
            "text": "",
            "tokens": 4,
            "answer": None,
            "gold": "1",
            "verdict": names[letter],
        }
        for i, letters in enumerate(verdicts)
        for sample, letter in enumerate(letters)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def test_score_of_known_records(tmp_path):
    path = tmp_path / "records.parquet"
    write_records(path, table(["cccc", "wwcw", "wwnt"]))
    (row,) = score(read_records(path)).to_dict("records")
    assert (row["problems"], row["samples"]) == (3, 4)
    assert row["avg_at_k"] == pytest.approx(5 / 12)
    assert row["pass_at_k"] == pytest.approx(2 / 3)
    assert row["best_at_k"] == pytest.approx((2 - 0.75**4) / 3)
    assert (row["no_answer"], row["timeout"], row["error"]) == (1, 1, 0)


def test_unequal_samples_are_refused():
    with pytest.raises(ValueError, match="terms2"):
        score(table(["cc", "ccc"]).to_pandas())


def test_records_of_another_schema_or_cut_are_named(tmp_path):
    path = tmp_path / "records.parquet"
    pq.write_table(table(["cw"]).drop_columns(["seed"]), path)
    with pytest.raises(DataError, match=r"records\.parquet has columns"):
        read_records(path)
    write_records(path, table(["cw"]))
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(DataError, match=r"records\.parquet"):
        read_records(path)


def test_records_hold_every_completion(tiny_policy, modular_problems):
    experiment = load_experiment(["scale=smoke"])
    problems = {"modular": modular_problems[:5]}
    sampler = TransformersSampler(*tiny_policy, batch_size=7)
    with Verifier(rules=["equals"]) as verifier:
        records = draw_records(
            problems, sampler, tiny_policy[1], verifier, experiment.evaluate, experiment.task, 9
        ).to_pandas()
    assert len(records) == 5 * experiment.evaluate.samples
    assert records.groupby("problem")["sample"].agg(list).map(lambda x: x == [0, 1, 2, 3]).all()
    first = modular_problems[0].id
    assert records.seed[0] == derive_seed(9, "evaluate", first, 0)
    assert records.seed.is_unique
    marked = records.text.str.contains("=")
    assert (records.verdict[~marked] == "no_answer").all()
    assert ((records.verdict == "correct") == (records.answer == records.gold)).all()


class Killed(BaseException):
    """A kill, which nothing catches."""


class KilledAt:
    """A sampler that dies in one of its calls, and counts the completions of the others."""

    def __init__(self, sampler, call=None):
        self.sampler, self.call, self.drawn = sampler, call, []

    def sample(self, prompts, seeds, settings):
        if len(self.drawn) == self.call:
            raise Killed
        assert not settings.log_probs  # they would fill the host's memory, and nobody reads them
        self.drawn.append(len(prompts))
        return self.sampler.sample(prompts, seeds, settings)


def test_a_killed_evaluation_draws_the_rest_only(
    tmp_path, tiny_policy, modular_problems, monkeypatch
):
    experiment = load_experiment(["scale=smoke"])
    task, settings = experiment.task, experiment.evaluate
    sampler = TransformersSampler(*tiny_policy, batch_size=1)  # no company, so the same bits

    def drawn(sampler, parts=None):
        with Verifier(rules=["equals"]) as verifier:
            return draw_records(
                {"modular": modular_problems[:5]},
                *(sampler, tiny_policy[1], verifier, settings, task, 9, parts),
            )

    whole = KilledAt(sampler)
    expected = drawn(whole)
    assert whole.drawn == [20]  # scale mini and below: one call, as it always was
    monkeypatch.setattr(draw, "PART_TOKENS", 8 * task.max_completion_tokens)
    first = KilledAt(sampler, call=2)
    with pytest.raises(Killed):
        drawn(first, tmp_path)
    assert first.drawn == [8, 8]
    rest = KilledAt(sampler)
    found = drawn(rest, tmp_path)
    assert rest.drawn == [4]
    assert found.equals(expected)
    write_records(tmp_path / "found", found)
    write_records(tmp_path / "expected", expected)
    assert (tmp_path / "found").read_bytes() == (tmp_path / "expected").read_bytes()


def test_parts_of_an_evaluation_at_scale_gpu():
    """A call of an evaluation holds a sixth of it, not 90 GB at once."""
    experiment = load_experiment(["scale=gpu"])
    assert draw.PART_TOKENS // experiment.task.max_completion_tokens == 8192
    mini = load_experiment(["scale=mini"])
    completions = len(mini.task.benchmarks) * mini.task.benchmark_problems * mini.evaluate.samples
    assert completions * mini.task.max_completion_tokens < draw.PART_TOKENS


@pytest.mark.parametrize("scale", ["gpu", "paper", "paper_7b", "paper_14b"])
def test_evaluations_of_published_policies_are_drawn_by_vllm(scale, monkeypatch, tmp_path):
    """50,000 completions of 8,192 tokens would take transformers days.

    The policy rests on the host meanwhile: the GPU is the engine's.
    """
    experiment = load_experiment([f"scale={scale}"])
    assert experiment.sampler.kind == "vllm"
    asked = {}

    def load(folder, dtype, device):
        asked["policy"] = device
        return SimpleNamespace(device=torch.device(device)), None

    class Engine:
        def __init__(self, policy, tokenizer, settings, context, device):
            asked.update(engine=device, context=context)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(draw, "load_policy", load)
    monkeypatch.setattr(draw, "draw_records", lambda *_: asked)
    monkeypatch.setattr("maspo.sampling.vllm.VllmSampler", Engine)
    draw.evaluate_policy(experiment, None, tmp_path, {})
    assert asked == {"policy": "cpu", "engine": "cuda", "context": 10_240}
