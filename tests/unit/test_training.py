"""The RL loop: right gradients, on-policy first updates, repeatable and resumable."""

import copy
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn.utils import parameters_to_vector

from maspo.config import load_experiment
from maspo.errors import ConfigError, DataError
from maspo.files import read_json_lines, sha256
from maspo.objectives import PolicyBatch, make, merge, names
from maspo.objectives.schedules import Scheduled, read_schedule
from maspo.policy import encode_prompts, load_policy, token_log_probs
from maspo.sampling.transformers import TransformersSampler
from maspo.training.advantages import group_relative
from maspo.training.batches import summarize
from maspo.training.checkpoint import CheckpointFolder
from maspo.training.loop import Trainer
from maspo.training.schedule import epoch_rows, learning_rate
from maspo.training.token_counts import RATIOS
from maspo.verifier import Verdict, Verifier


class CoinVerifier:
    """Rewards every completion that writes an even number of characters: any policy gets some."""

    def grade_many(self, completions, golds):
        return [Verdict.WRONG if len(text) % 2 else Verdict.CORRECT for text in completions]


def trainer(tiny_policy, problems, method="maspo", seed=1, verifier=None, **changes):
    """Return a run of four steps on a copy of the tiny policy."""
    policy, tokenizer = tiny_policy
    policy = copy.deepcopy(policy)
    overrides = {"steps": 4, "checkpoint_every": 2, "lr": 1e-3, "snapshots": "[]", **changes}
    settings = load_experiment(
        ["scale=smoke", *(f"train.{name}={value}" for name, value in overrides.items())]
    ).train
    return Trainer(
        policy=policy,
        tokenizer=tokenizer,
        objective=make(method),
        sampler=TransformersSampler(policy, tokenizer, batch_size=64),
        verifier=verifier or CoinVerifier(),
        problems=problems,
        prompts=encode_prompts(tokenizer, problems, 16),
        settings=settings,
        max_tokens=12,
        seed=seed,
    )


def weights(run):
    return torch.cat([parameter.detach().flatten() for parameter in run.policy.parameters()])


def test_group_relative_values():
    rewards = torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]])
    advantages = group_relative(rewards)
    assert torch.allclose(advantages[0], torch.tensor([1.5, -0.5, -0.5, -0.5]), atol=1e-5)
    assert (advantages[1] == 0).all()
    plain = group_relative(rewards, normalize_std=False)
    assert torch.equal(plain[0], torch.tensor([0.75, -0.25, -0.25, -0.25]))


@given(st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=8), st.floats(-3, 3))
def test_group_relative_is_centred_and_ignores_a_shift(rewards, shift):
    rewards = torch.tensor([rewards], dtype=torch.float64)
    advantages = group_relative(rewards)
    assert abs(advantages.sum()) < 1e-6
    if rewards.std() > 1e-3:
        assert torch.allclose(group_relative(rewards + shift), advantages, atol=1e-6)


@given(st.integers(1, 30), st.integers(1, 12), st.integers(1, 9))
def test_every_problem_comes_once_an_epoch(count, batch, seed):
    steps = -(-count * 3 // batch)
    rows = [row for step in range(1, steps + 1) for row in epoch_rows(count, batch, seed, step)]
    assert len(rows) == steps * batch
    for epoch in range(3):
        assert sorted(rows[epoch * count : (epoch + 1) * count]) == list(range(count))


def test_merge_keeps_extremes():
    rows = [
        {"loss": 1.0, "ratio_min": 0.5, "ratio_max": 2.0, "own_max": 4.0},
        {"loss": 3.0, "ratio_min": 0.7, "ratio_max": 1.5, "own_max": 2.0},
    ]
    means = {"loss": 2.0, "own_max": 3.0}  # not by the name
    assert merge(rows) == {**means, "ratio_min": 0.5, "ratio_max": 2.0}


def test_first_update_is_on_policy_and_later_ones_are_not(tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems)
    mini_batches, _ = run.run_old_policy(run.roll_out(1))
    assert len(mini_batches) == run.settings.updates_per_batch
    first, *_, last = [run.update(mini_batch).metrics for mini_batch in mini_batches]
    assert (first["ratio_min"], first["ratio_max"]) == (1.0, 1.0)
    assert last["ratio_max"] > 1.001


def test_a_step_in_chunks_of_the_vocabulary_is_the_same_step(tiny_policy, modular_problems):
    naive, chunked = (
        trainer(tiny_policy, modular_problems, method="entropy_adv", logits_chunk=chunk)
        for chunk in ("null", 5)
    )
    updates = []
    for run in (naive, chunked):
        mini_batches, _ = run.run_old_policy(run.roll_out(1))
        updates.append([run.update(mini_batch).metrics for mini_batch in mini_batches])
    assert updates[1][0]["ratio_min"] == updates[1][0]["ratio_max"] == 1.0
    for ours, theirs in zip(updates[1], updates[0], strict=True):
        assert ours == pytest.approx(theirs, rel=1e-4, abs=1e-5)
    torch.testing.assert_close(weights(chunked), weights(naive), atol=1e-4, rtol=1e-3)


def test_an_update_is_adamw_on_the_policy_gradient(tiny_policy, modular_problems):
    """On-policy, grpo's gradient is -mean(A * grad log pi); the step must be AdamW's on it."""
    run = trainer(tiny_policy, modular_problems, method="grpo", max_grad_norm=1e9)
    (batch, *_), _ = run.run_old_policy(run.roll_out(1))
    twin = copy.deepcopy(run.policy)
    log_prob, _ = token_log_probs(twin, batch.padded)
    mask = batch.padded.mask
    (-(batch.advantages * log_prob)[mask].sum() / batch.total_tokens).backward()
    norm = torch.cat([p.grad.flatten() for p in twin.parameters()]).norm()
    optimizer = torch.optim.AdamW(twin.parameters(), lr=1e-3, weight_decay=0.0)
    optimizer.step()
    metrics = run.update(batch).metrics
    assert metrics["gradient_norm"] == pytest.approx(norm.item(), rel=1e-4)
    expected = torch.cat([parameter.detach().flatten() for parameter in twin.parameters()])
    assert torch.allclose(weights(run), expected, atol=2e-5)
    assert norm > 0


@pytest.mark.parametrize("method", names())
def test_without_an_advantage_the_gradient_is_zero(method):
    """What the loop relies on where it makes no graph for such a mini-batch."""
    old = -torch.rand(4, 6, generator=torch.Generator().manual_seed(1)).double() - 0.1
    log_prob = (old - 0.3).requires_grad_()
    batch = PolicyBatch(
        log_prob=log_prob,
        old_log_prob=old,
        advantages=torch.zeros_like(old),
        mask=torch.ones_like(old, dtype=torch.bool),
        entropy=-old,
    )
    make(method)(batch).loss.backward()
    assert (log_prob.grad == 0).all()


def test_an_update_without_advantages_goes_on_with_the_momentum(tiny_policy, modular_problems):
    """It must leave the weights, and log the metrics, of an update that took the gradient."""
    run = trainer(tiny_policy, modular_problems, lr=1e-2)
    mini_batches, _ = run.run_old_policy(run.roll_out(1))
    assert mini_batches[0].advantages.any()
    run.update(mini_batches[0])
    twin = copy.deepcopy(run)
    before = weights(run)
    nothing = replace(mini_batches[1], advantages=torch.zeros_like(mini_batches[1].advantages))
    metrics = run.update(nothing).metrics
    assert metrics["gradient_norm"] == 0
    assert not torch.equal(weights(run), before)

    log_prob, _ = twin.log_probs(nothing.padded, entropy=False)
    output = twin.objective(
        PolicyBatch(
            log_prob=log_prob,
            old_log_prob=nothing.old_log_prob,
            advantages=nothing.advantages,
            mask=nothing.padded.mask,
            total_tokens=nothing.total_tokens,
        )
    )
    output.loss.backward()
    twin.optimizer.step()
    assert torch.equal(weights(run), weights(twin))
    assert {name: metrics[name] for name in output.metrics} == output.metrics
    assert metrics["loss"] == output.loss.item()


def test_advantages_follow_rewards_and_groups(tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems)
    rollout = run.roll_out(1)
    size = run.settings.group_size
    assert all(
        rollout.prompts[i] == rollout.prompts[i - i % size] for i in range(len(rollout.prompts))
    )
    expected = group_relative(rollout.rewards.view(-1, size)).flatten()
    mini_batches, _ = run.run_old_policy(rollout)
    got = torch.cat([mini_batch.advantages[:, 0] for mini_batch in mini_batches])
    assert torch.equal(got[got != 0], expected[expected != 0])
    for completion, reward in zip(rollout.completions, rollout.rewards.tolist(), strict=True):
        assert reward == (len(completion.text) % 2 == 0)


def test_a_wrong_answer_is_worth_its_credit(tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems, reward="steps")
    asked = []

    def credit(problem, text):
        asked.append(problem)
        return 1 / (2 + len(text))

    run.credit = credit
    rollout = run.roll_out(1)
    texts = [completion.text for completion in rollout.completions]
    worth = [1 / (2 + len(text)) if len(text) % 2 else 1.0 for text in texts]
    assert rollout.rewards.tolist() == pytest.approx(worth)
    assert asked == [modular_problems[row] for row in rollout.rows]
    assert 0 < rollout.metrics["accuracy"] < rollout.metrics["reward"] < 1
    uniform = (rollout.rewards.view(-1, 4) == rollout.rewards.view(-1, 4)[:, :1]).all(1).sum()
    assert rollout.metrics["uniform_groups"] == uniform


def test_rows_without_an_advantage_are_counted_and_not_read(tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems)
    rollout = run.roll_out(1)
    group, size = run.settings.group_size, len(rollout.prompts) // run.settings.updates_per_batch
    rollout.rewards = torch.zeros(len(rollout.prompts))
    rollout.rewards[0] = 1.0  # the only group with advantages is the first of the first mini-batch
    mini_batches, idle = run.run_old_policy(rollout)
    lengths = [len(completion.tokens) for completion in rollout.completions]
    assert [len(mini.advantages) for mini in mini_batches] == [group, *[size] * 3]
    for i, mini in enumerate(mini_batches):
        assert mini.total_tokens == sum(lengths[i * size : (i + 1) * size])
        assert mini.total_sequences == size
    assert len(idle) == sum(lengths[group:size])
    whole = run.pad_rows(rollout, range(len(rollout.prompts)))
    _, entropy = run.log_probs(whole, entropy=True)
    mean = entropy[whole.mask].mean().item()
    assert summarize(mini_batches, idle)["entropy"] == pytest.approx(mean, rel=1e-5)
    # A sampler that gives entropies: the policy does not read these rows again.
    rollout.completions = [
        replace(completion, entropies=values[inside].tolist())
        for completion, values, inside in zip(rollout.completions, entropy, whole.mask, strict=True)
    ]
    torch.testing.assert_close(run.run_old_policy(rollout)[1], idle)
    rollout.completions = [replace(c, entropies=[0.0] * len(c.tokens)) for c in rollout.completions]
    assert not run.run_old_policy(rollout)[1].any()


def test_equal_rewards_change_nothing_and_are_counted(tiny_policy, modular_problems):
    class Strict(CoinVerifier):
        def grade_many(self, completions, golds):
            return [Verdict.WRONG] * len(completions)

    run = trainer(tiny_policy, modular_problems, verifier=Strict())
    before = weights(run)
    metrics, _ = run.step(1)
    assert torch.equal(weights(run), before)
    assert metrics["uniform_groups"] == run.settings.prompts_per_batch
    assert metrics["reward"] == metrics["gradient_norm"] == 0


def test_real_verifier_grades_the_modular_task(tiny_policy, modular_problems):
    with Verifier(rules=["equals"]) as verifier:
        verdicts = verifier.grade_many(["+3=a*2=k", "+3=a*2=l", "+3*2", "=k"], ["k"] * 4)
        metrics, timings = trainer(tiny_policy, modular_problems, verifier=verifier).step(1)
    assert verdicts == [Verdict.CORRECT, Verdict.WRONG, Verdict.NO_ANSWER, Verdict.CORRECT]
    size = 32
    graded = metrics["reward"] * size + sum(metrics[v] for v in ("wrong", "no_answer"))
    assert graded == size
    phases = ("sample", "verify", "old_log_probs", "update", "other")
    assert timings["seconds"] == pytest.approx(sum(timings[phase] for phase in phases))


@pytest.mark.parametrize("method", ["grpo", "maspo", "entropy_adv", "bapo"])
def test_a_run_is_bitwise_repeatable(tmp_path, tiny_policy, modular_problems, method):
    results = []
    for name in ("first", "second"):
        run = trainer(tiny_policy, modular_problems, method)
        run.train(CheckpointFolder(tmp_path / name, "x"), method)
        results.append((weights(run), (tmp_path / name / "metrics.jsonl").read_bytes()))
    assert torch.equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]
    other = trainer(tiny_policy, modular_problems, method, seed=2)
    other.train(CheckpointFolder(tmp_path / "other", "x"), method)
    assert not torch.equal(weights(other), results[0][0])


def test_a_killed_run_goes_on_to_the_same_bits(tmp_path, tiny_policy, modular_problems):
    whole = trainer(tiny_policy, modular_problems)
    whole.train(CheckpointFolder(tmp_path / "whole", "x"), "whole")

    folder = CheckpointFolder(tmp_path / "killed", "x")
    stopped_at(trainer(tiny_policy, modular_problems), 4, folder)
    log = folder.folder / "metrics.jsonl"
    assert len(read_json_lines(log)) == 3
    log.write_bytes(log.read_bytes() + b'{"step": 4, "rew')  # killed in the middle of a row

    resumed = trainer(tiny_policy, modular_problems)
    steps = []
    real = resumed.step
    resumed.step = lambda step, *others: steps.append(step) or real(step, *others)
    resumed.train(folder, "resumed")
    assert steps == [3, 4]
    assert torch.equal(weights(resumed), weights(whole))
    ours, theirs = (tmp_path / name / "metrics.jsonl" for name in ("killed", "whole"))
    assert ours.read_bytes() == theirs.read_bytes()


def test_a_run_that_halts_goes_on_to_the_same_bits(tmp_path, tiny_policy, modular_problems):
    """As a trial of a search does at its rungs, behind which no checkpoint is due."""
    whole = trainer(tiny_policy, modular_problems)
    whole.train(CheckpointFolder(tmp_path / "whole", "x"), "whole")
    for until in (1, 3, 4):
        halted = trainer(tiny_policy, modular_problems)
        halted.train(CheckpointFolder(tmp_path / "halted", "x"), "halted", until=until)
        assert len(read_json_lines(tmp_path / "halted" / "metrics.jsonl")) == until
    assert torch.equal(weights(halted), weights(whole))
    logs = [tmp_path / name / "metrics.jsonl" for name in ("halted", "whole")]
    assert logs[0].read_bytes() == logs[1].read_bytes()


def test_a_checkpoint_of_another_run_is_not_used(tmp_path, tiny_policy, modular_problems):
    first = trainer(tiny_policy, modular_problems)
    first.train(CheckpointFolder(tmp_path, "one"), "first")
    other = CheckpointFolder(tmp_path, "two")
    other.prepare()
    assert not other.state.exists()
    assert other.load(first.policy, first.optimizer) == 0


def test_a_log_shorter_than_its_checkpoint_is_named(tmp_path, tiny_policy, modular_problems):
    folder = CheckpointFolder(tmp_path, "x")
    trainer(tiny_policy, modular_problems).train(folder, "run")
    log = tmp_path / "metrics.jsonl"
    first, *_ = log.read_text().splitlines(keepends=True)
    log.write_text(first)
    with pytest.raises(DataError, match=r"metrics\.jsonl holds 1 of the 4 steps"):
        trainer(tiny_policy, modular_problems).train(folder, "run")
    assert folder.state.exists()


def test_a_truncated_checkpoint_is_named(tmp_path, tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems)
    folder = CheckpointFolder(tmp_path, "x")
    run.train(folder, "run")
    for keep in (0, 100, folder.state.stat().st_size - 10):
        folder.state.write_bytes(folder.state.read_bytes()[:keep])
        with pytest.raises(DataError, match=r"checkpoint\.pt"):
            folder.load(run.policy, run.optimizer)


def test_a_changed_byte_of_a_checkpoint_is_named(tmp_path, tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems)
    folder = CheckpointFolder(tmp_path, "x")
    run.train(folder, "run")
    content = bytearray(folder.state.read_bytes())
    content[len(content) // 2] ^= 1  # in the weights or the optimizer's state: still a checkpoint
    folder.state.write_bytes(content)
    with pytest.raises(DataError, match=r"checkpoint\.pt cannot be read .*checksum"):
        folder.load(run.policy, run.optimizer)


def test_two_processes_do_not_train_one_run(tmp_path):
    folder = CheckpointFolder(tmp_path / "seed_1", "x")
    code = (
        "import sys; from pathlib import Path\n"
        "from maspo.training.checkpoint import CheckpointFolder\n"
        "CheckpointFolder(Path(sys.argv[1]), 'x').prepare(); print('held', flush=True); input()\n"
    )
    command = [sys.executable, "-c", code, str(folder.folder)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, **pipes) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(DataError, match=r"another process trains into .*seed_1"):
            folder.prepare()
        other.kill()
    folder.prepare()


def test_a_kill_while_a_finished_run_is_cleared_leaves_nothing_to_resume(tmp_path, monkeypatch):
    folder = CheckpointFolder(tmp_path / "seed_1", "x")
    folder.prepare()
    folder.state.write_bytes(b"a checkpoint whose logs are gone")
    with monkeypatch.context() as patch:
        patch.setattr("shutil.rmtree", lambda *arguments, **options: None)  # killed before it
        folder.clear()
    folder.prepare()
    assert not folder.state.exists()


def stopped_at(run, step, folder):
    """Train until a step has begun, as a kill there would leave the run."""
    real = run.step

    def die(number, *others):
        if number == step:
            raise KeyboardInterrupt
        return real(number, *others)

    run.step = die
    with pytest.raises(KeyboardInterrupt):
        run.train(folder, "stopped")


@pytest.mark.parametrize(
    ("schedule", "ratio", "rates"),
    [
        ("constant", 0, [8.0] * 4),
        ("constant", 0.5, [8.0] * 4),
        ("linear", 0, [8, 6, 4, 2]),
        ("linear", 0.5, [8, 7, 6, 5]),
        ("linear", 1, [8] * 4),
    ],
)
def test_learning_rates_of_a_run(tmp_path, tiny_policy, modular_problems, schedule, ratio, rates):
    """Linear: the whole rate at the first step, one step short of its end at the last."""
    settings = {"lr": 8e-3, "lr_schedule": schedule, "min_lr_ratio": ratio}
    run = trainer(tiny_policy, modular_problems, **settings)
    wanted = pytest.approx([rate / 1000 for rate in rates])
    assert [learning_rate(run.settings, step) for step in (1, 2, 3, 4)] == wanted
    used = []
    real = run.optimizer.step
    run.optimizer.step = lambda: used.append(run.optimizer.param_groups[0]["lr"]) or real()
    run.train(CheckpointFolder(tmp_path, "x"), "run")
    assert [row["lr"] for row in read_json_lines(tmp_path / "metrics.jsonl")] == wanted
    assert used[:: run.settings.updates_per_batch] == wanted
    assert len(set(used)) == len(set(rates))
    assert len(used) == 4 * run.settings.updates_per_batch


def test_a_killed_run_of_a_falling_rate_goes_on_to_the_same_bits(
    tmp_path, tiny_policy, modular_problems
):
    def fresh():
        return trainer(tiny_policy, modular_problems, lr_schedule="linear", snapshots="[1,3]")

    whole, folders = fresh(), [CheckpointFolder(tmp_path / name, "x") for name in ("whole", "cut")]
    whole.train(folders[0], "whole")
    stopped_at(fresh(), 4, folders[1])  # behind the snapshot of step 3, which no checkpoint has
    (folders[1].snapshot(3) / "config.json").write_text("of the run that was killed")
    resumed = fresh()
    resumed.train(folders[1], "cut")
    assert torch.equal(weights(resumed), weights(whole))
    logs = [(folder.folder / "metrics.jsonl").read_bytes() for folder in folders]
    assert logs[0] == logs[1]
    for step in (1, 3):
        one, other = (sha256(folder.snapshot(step)) for folder in folders)
        assert one == other
    assert sha256(folders[0].snapshot(1)) != sha256(folders[0].snapshot(3))


def test_a_snapshot_is_the_policy_of_a_run_that_ended_there(
    tmp_path, tiny_policy, modular_problems
):
    """With a constant rate; then keeping policies changes nothing of the run."""
    constant = {"lr_schedule": "constant"}
    long = trainer(tiny_policy, modular_problems, snapshots="[1,2]", **constant)
    folder = CheckpointFolder(tmp_path / "long", "x")
    long.train(folder, "long")
    for step in (1, 2):
        short = trainer(tiny_policy, modular_problems, steps=step, **constant)
        short.train(CheckpointFolder(tmp_path / f"short_{step}", "x"), "short")
        kept, tokenizer = load_policy(folder.snapshot(step))
        assert torch.equal(parameters_to_vector(kept.parameters()), weights(short))
        assert tokenizer.get_vocab() == long.tokenizer.get_vocab()
    plain = trainer(tiny_policy, modular_problems, **constant)
    plain.train(CheckpointFolder(tmp_path / "plain", "x"), "plain")
    assert torch.equal(weights(plain), weights(long))
    logs = [read_json_lines(tmp_path / name / "metrics.jsonl") for name in ("long", "plain")]
    assert [row.pop("ratio_moves", None) is not None for row in logs[0]] == [
        True,
        True,
        False,
        False,
    ]
    assert logs[0] == logs[1]


def test_moves_of_a_step_count_the_tokens_of_its_ratios(tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems, snapshots="[1]", lr=1e-2)
    before = weights(run)
    metrics, timings = run.step(1)
    rows, ratios = metrics["ratio_moves"], metrics["ratio_use"]
    assert [sum(row) for row in rows] == ratios["tokens"]
    assert len(rows) == len(rows[0]) == len(RATIOS) - 1
    assert sum(ratios["tokens"]) == sum(metrics["gradient_use"]["tokens"])
    first = sum(ratios["tokens"]) / run.settings.updates_per_batch
    assert ratios["tokens"][RATIOS.index(0.99)] > first / 2  # the first update is on-policy
    off = sum(sum(row) - row[i] for i, row in enumerate(rows))
    assert off > 0  # the later updates moved tokens of the earlier ones
    assert timings["measure"] > 0
    assert not torch.equal(weights(run), before)
    assert "ratio_moves" not in run.step(2)[0]


def test_tokens_without_an_advantage_are_not_counted(tiny_policy, modular_problems):
    run = trainer(tiny_policy, modular_problems)
    rollout = run.roll_out(1)
    mini_batches, _ = run.run_old_policy(rollout)
    moved = [mini.padded.mask & (mini.advantages != 0) for mini in mini_batches]
    metrics, _ = run.step(1)
    wanted = sum(int(mask.sum()) for mask in moved)
    assert 0 < wanted < metrics["tokens"]
    for name in ("gradient_use", "ratio_use"):
        assert sum(metrics[name]["tokens"]) == wanted
        assert all(
            n <= t for n, t in zip(*(metrics[name][k] for k in ("nonzero", "tokens")), strict=True)
        )


def test_a_metric_to_steer_by_that_is_not_logged_is_named(tmp_path, tiny_policy, modular_problems):
    law = {"schedule": "steered", "from": 0.3, "by": "entrpy", "target": 0.2, "rate": 0.1}
    run = trainer(tiny_policy, modular_problems)
    law = read_schedule("alpha", {**law, "low": 0.0, "high": 1.0})
    run.scheduled = Scheduled(run.objective, {"alpha": law})
    with pytest.raises(ConfigError, match=r"maspo, step 2: .*no number 'entrpy'.*'entropy'"):
        run.train(CheckpointFolder(tmp_path, "x"), "run")


def test_a_killed_run_of_a_steered_setting_goes_on_to_the_same_bits(
    tmp_path, tiny_policy, modular_problems
):
    """The value at step 4 rests on the log row of step 3, which is read again."""
    law = {"schedule": "steered", "from": 0.3, "by": "loss", "target": 0.01, "rate": 0.001}
    schedules = {"alpha": read_schedule("alpha", {**law, "low": 0.0, "high": 1.0})}

    def fresh():
        run = trainer(tiny_policy, modular_problems, checkpoint_every=3, steps=5)
        run.scheduled = Scheduled(run.objective, schedules)
        return run

    whole = fresh()
    whole.train(CheckpointFolder(tmp_path / "whole", "x"), "whole")
    stopped_at(fresh(), 4, CheckpointFolder(tmp_path / "parts", "x"))
    resumed = fresh()
    resumed.train(CheckpointFolder(tmp_path / "parts", "x"), "parts")
    rows = read_json_lines(tmp_path / "whole" / "metrics.jsonl")
    assert read_json_lines(tmp_path / "parts" / "metrics.jsonl") == rows
    assert torch.equal(weights(resumed), weights(whole))
    values = [row["setting_alpha"] for row in rows]
    assert values[0] == 0.3
    assert len(set(values)) == 5
    for before, row in pairwise(rows):
        moved = before["setting_alpha"] + 0.001 * (before["loss"] / 0.01 - 1)
        assert row["setting_alpha"] == min(1.0, max(0.0, moved))
    assert resumed.objective.alpha == values[-1]
