"""Configuration: typed settings, composed by Hydra from `configs/`."""

from maspo.config.changes import changes, chosen, workflow_command
from maspo.config.command import overrides_of, setting_of
from maspo.config.compose import as_dict, experiment_from, load_experiment
from maspo.config.engine import Engine, VerlEngine
from maspo.config.files import config_dir, options
from maspo.config.grammar import hydra_value
from maspo.config.model import BuiltModel, PretrainedModel, Supervised
from maspo.config.names import CHANGE, split_variant
from maspo.config.resources import Resources, gpus
from maspo.config.schema import SUITES, Evaluate, Experiment, Sampler, Statistics, Train
from maspo.config.studies import Study, load_study, load_suite
from maspo.config.task import HubFile, HubTask, ModularTask, Task, WordsTask
from maspo.config.variants import (
    build_objective,
    build_scheduled,
    condition_values,
    objective_settings,
    scheduled_from,
)

__all__ = [
    "CHANGE",
    "SUITES",
    "BuiltModel",
    "Engine",
    "Evaluate",
    "Experiment",
    "HubFile",
    "HubTask",
    "ModularTask",
    "PretrainedModel",
    "Resources",
    "Sampler",
    "Statistics",
    "Study",
    "Supervised",
    "Task",
    "Train",
    "VerlEngine",
    "WordsTask",
    "as_dict",
    "build_objective",
    "build_scheduled",
    "changes",
    "chosen",
    "condition_values",
    "config_dir",
    "experiment_from",
    "gpus",
    "hydra_value",
    "load_experiment",
    "load_study",
    "load_suite",
    "objective_settings",
    "options",
    "overrides_of",
    "scheduled_from",
    "setting_of",
    "split_variant",
    "workflow_command",
]
