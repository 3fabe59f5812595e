"""The miniature task as tests use it: the facts of scale mini, and few problems."""

from maspo.config import load_experiment

TASK = load_experiment(["scale=mini", "task.train_problems=512", "task.benchmark_problems=4"]).task
CHARACTERS = TASK.characters
