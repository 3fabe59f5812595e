"""What a run keeps of its rollouts: a seeded sample with the numbers that the updates saw."""

import pytest
import torch
from test_training import CoinVerifier, stopped_at, trainer

from maspo.audit.rollouts import Run
from maspo.config import load_experiment
from maspo.errors import ConfigError
from maspo.objectives import PolicyBatch, make
from maspo.seeding import derive_seed
from maspo.training.advantages import group_relative
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.rewards import partial_credit
from maspo.training.rollouts import (
    NUMBERS,
    groups_kept,
    join_steps,
    read_rollouts,
    sampled_groups,
    write_rollouts,
)
from maspo.training.schedule import epoch_rows

LIMIT = 0.012  # MB: of groups of 4 completions of 12 tokens, 3 at each of 4 steps


def run_of(tiny_policy, problems, **changes):
    return trainer(tiny_policy, problems, **{"rollouts_mb": LIMIT, **changes})


def test_as_many_groups_are_kept_as_fit_if_all_were_longest():
    train = load_experiment(["scale=mini"]).train
    assert groups_kept(train, 25) == 4  # 1 MB / 60 steps / (8 x 25 tokens x 20 bytes)
    assert groups_kept(load_experiment(["scale=gpu"]).train, 8192) == 2
    assert groups_kept(load_experiment(["scale=mini", "train.rollouts_mb=999"]).train, 25) == 64
    assert groups_kept(load_experiment(["scale=mini", "train.rollouts_mb=0.1"]).train, 25) == 0
    assert groups_kept(load_experiment(["scale=mini", "train.rollouts_mb=null"]).train, 25) == 0
    with pytest.raises(ConfigError, match=r"train\.rollouts_mb=0"):
        load_experiment(["scale=mini", "train.rollouts_mb=0"])


def test_the_seed_chooses_the_groups_anew_at_each_step():
    train = load_experiment(["scale=mini"]).train
    steps = [sampled_groups(train, 25, seed=1, step=step) for step in range(1, 200)]
    assert steps == [sampled_groups(train, 25, seed=1, step=step) for step in range(1, 200)]
    assert steps[0] != sampled_groups(train, 25, seed=2, step=1)
    assert {group for groups in steps for group in groups} == set(range(64))


def test_kept_rows_have_what_the_updates_saw(tmp_path, tiny_policy, modular_problems):
    run = run_of(tiny_policy, modular_problems)
    seen = {}
    real = run.objective

    def spy(batch):
        output = real(batch)
        for row in range(len(batch.mask)):
            key = tuple(batch.old_log_prob[row].tolist()[: int(batch.mask[row].sum())])
            seen[key] = (batch.log_prob[row].tolist(), output.weight[row].tolist())
        return output

    spy.needs_entropy = real.needs_entropy
    run.objective = spy
    run.step(2, tmp_path / "kept.parquet")
    rows = read_rollouts(tmp_path / "kept.parquet").to_pylist()
    groups = sampled_groups(run.settings, run.max_tokens, run.seed, 2)
    assert len(groups) == 3
    assert [row["group"] for row in rows] == [group for group in groups for _ in range(4)]
    batch = epoch_rows(len(run.problems), 8, run.seed, 2)
    read = 0
    for row in rows:
        problem = run.problems[batch[row["group"]]]
        assert (row["problem"], row["gold"]) == (problem.id, problem.answer)
        assert row["prompt"] == problem.messages[0]["content"]
        place = row["group"] * 4 + row["sample"]
        assert row["seed"] == derive_seed(run.seed, "rollout", 2, place)
        [verdict] = CoinVerifier().grade_many([row["text"]], [row["gold"]])
        assert (row["verdict"], row["reward"]) == (verdict.value, verdict.reward)
        assert row["text"] == run.tokenizer.decode(row["tokens"], skip_special_tokens=True)
        if row["log_prob"] is None:
            assert row["advantage"] == 0
            continue
        read += 1
        log_prob, weight = seen[tuple(row["old_log_prob"])]
        length = len(row["tokens"])
        assert (row["log_prob"], row["weight"]) == (log_prob[:length], weight[:length])
        assert {len(row[name]) for name in NUMBERS} == {length}
    assert read


def test_weights_are_those_of_the_objective(tmp_path, tiny_policy, modular_problems):
    run = run_of(tiny_policy, modular_problems, method="grpo", lr=3e-2)
    run.step(1, tmp_path / "kept.parquet")
    kept = read_rollouts(tmp_path / "kept.parquet").to_pylist()
    rows = [row for row in kept if row["log_prob"]]
    weights = set()
    for row in rows:
        old, new = torch.tensor([row["old_log_prob"]]), torch.tensor([row["log_prob"]])
        advantages = torch.full_like(old, row["advantage"])
        batch = PolicyBatch(
            log_prob=new, old_log_prob=old, advantages=advantages, mask=torch.ones_like(old).bool()
        )
        assert make("grpo")(batch).weight.tolist() == [row["weight"]]
        weights |= set(row["weight"])
    assert weights == {0.0, 1.0}


def test_keeping_rollouts_changes_no_other_byte(tmp_path, tiny_policy, modular_problems):
    logs = []
    for limit in ("null", LIMIT):
        run = run_of(tiny_policy, modular_problems, rollouts_mb=limit)
        run.train(CheckpointFolder(tmp_path / str(limit), "x"), "run")
        weights = torch.cat([p.detach().flatten() for p in run.policy.parameters()])
        logs.append(((tmp_path / str(limit) / "metrics.jsonl").read_bytes(), weights.tolist()))
    assert logs[0] == logs[1]
    assert not (tmp_path / "null" / "rollouts").exists()


def test_a_killed_run_keeps_the_same_bytes(tmp_path, tiny_policy, modular_problems):
    folders = [CheckpointFolder(tmp_path / name, "x") for name in ("whole", "killed")]
    run_of(tiny_policy, modular_problems).train(folders[0], "whole")
    stopped_at(run_of(tiny_policy, modular_problems), 4, folders[1])
    folders[1].rollouts(3).write_bytes(b"PAR1 half")  # behind the checkpoint: drawn again
    run_of(tiny_policy, modular_problems).train(folders[1], "resumed")
    files = []
    for folder in folders:
        table = join_steps([folder.rollouts(step) for step in range(1, 5)])
        assert table["step"].unique().to_pylist() == [1, 2, 3, 4]
        files.append(folder.folder / "rollouts.parquet")
        write_rollouts(files[-1], table)
        assert read_rollouts(files[-1]).equals(table)
    assert files[0].read_bytes() == files[1].read_bytes()
    assert files[0].stat().st_size < LIMIT * 1e6 + 20_000  # the columns themselves


def test_the_audit_counts_right_steps_again(modular_problems):
    """Of a group one completion is right, one stops after its first step, one has none right."""
    experiment = load_experiment(["scale=mini", "train.reward=steps", "train.group_size=3"])
    problem = next(p for p in modular_problems if len(p.question) == 6)  # two steps
    run = Run.__new__(Run)
    run.train, run.seed, run.by_id = experiment.train, 1, {problem.id: problem}
    run.credit = partial_credit(experiment)
    operator, operand = problem.question[1:3]
    left, number = int(problem.question[0], 36), int(operand, 36)
    result = (left + number if operator == "+" else left * number) % 31
    step = f"{operator}{operand}=" + "0123456789abcdefghijklmnopqrstu"[result]
    texts = {"": ("wrong", 0.0), step: ("wrong", 0.5), "right": ("correct", 1.0)}
    advantages = group_relative(torch.tensor([[0.0, 0.5, 1.0]])).flatten().tolist()
    rows = [
        {"step": 1, "group": 2, "sample": sample, "problem": problem.id, "text": text}
        | {"verdict": verdict, "reward": reward, "advantage": advantages[sample]}
        for sample, (text, (verdict, reward)) in enumerate(texts.items())
    ]
    assert list(run.rewards(rows)) == []
    rows[0]["reward"] = 0.5
    expected, found = next(run.rewards(rows))
    assert (expected.split(" of ")[0][:10], found) == ("reward 0.0", "0.5")
