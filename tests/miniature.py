"""The miniature task as tests use it: the settings of scale smoke."""

from maspo.config import load_experiment
from maspo.tasks.modular import characters

TASK = load_experiment(["scale=smoke"]).task
CHARACTERS = characters(TASK)
