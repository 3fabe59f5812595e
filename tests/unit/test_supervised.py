"""The base policy learns the demonstrations."""

import math

from maspo.config import load_experiment
from maspo.files import read_json_lines
from maspo.training.supervised import train_base


def test_the_loss_falls_below_a_uniform_guess(tmp_path, tiny_policy, modular_problems):
    settings = load_experiment(
        ["scale=smoke", "model.supervised.steps=40", "model.supervised.lr=0.03"]
    ).model.supervised
    train_base(*tiny_policy, modular_problems, settings, tmp_path)
    rows = read_json_lines(tmp_path / "metrics.jsonl")
    assert [row["step"] for row in rows] == [10, 20, 30, 40]
    assert rows[-1]["loss"] < rows[0]["loss"] < math.log(19) + 0.5
    assert rows[-1]["loss"] < 2.0
    assert rows[-1]["lr"] < 1e-6
