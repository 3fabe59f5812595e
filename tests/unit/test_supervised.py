"""The base policy learns the demonstrations."""

import math

import torch

from maspo.config import load_experiment
from maspo.files import read_json_lines
from maspo.policy import build_policy, build_tokenizer
from maspo.tasks import Lessons
from maspo.tasks.kinds import task_kind
from maspo.training.supervised import train_base
from miniature import CHARACTERS, TASK
from tests.conftest import ARCHITECTURE


def settings(steps, lr):
    overrides = [f"model.supervised.steps={steps}", f"model.supervised.lr={lr}"]
    return load_experiment(["scale=smoke", *overrides]).model.supervised


def test_the_loss_falls_below_a_uniform_guess(tmp_path, tiny_policy, modular_problems):
    chosen = settings(40, 0.03)
    lessons = task_kind(TASK).teach(TASK, chosen, 1)
    train_base(*tiny_policy, modular_problems, lessons, chosen, 1, tmp_path)
    rows = read_json_lines(tmp_path / "metrics.jsonl")
    assert [row["step"] for row in rows] == [10, 20, 30, 40]
    assert rows[-1]["loss"] < rows[0]["loss"] < math.log(37) + 0.5
    assert rows[-1]["loss"] < 2.0
    assert rows[-1]["lr"] < 1e-6


def test_the_seed_draws_the_problems_and_their_demonstrations(tmp_path, modular_problems):
    chosen, tokenizer = settings(16, 0.01), build_tokenizer(CHARACTERS)

    def taught(seed):
        asked = []

        def teach(question, rng):
            asked.append((question, int(rng.integers(1000))))
            return "+3=a"

        policy = build_policy(ARCHITECTURE, tokenizer, 3)
        lessons = Lessons(teach, table="")
        train_base(policy, tokenizer, modular_problems, lessons, chosen, seed, tmp_path)
        return asked, torch.cat([p.detach().flatten() for p in policy.parameters()])

    (asked, weights), (again, same), (other, moved) = map(taught, (1, 1, 2))
    assert asked == again
    assert torch.equal(weights, same)
    assert len(asked) == 16 * chosen.batch_size
    assert asked != other
    assert not torch.equal(weights, moved)
