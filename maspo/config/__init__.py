"""Configuration: typed settings, composed by Hydra from `configs/`."""

from maspo.config.compose import as_dict, config_dir, experiment_from, load_experiment, options
from maspo.config.engine import Engine, VerlEngine
from maspo.config.model import BuiltModel, PretrainedModel, Supervised
from maspo.config.names import CHANGE, split_variant
from maspo.config.resources import Resources, gpus
from maspo.config.schema import SUITES, Evaluate, Experiment, Sampler, Statistics, Train
from maspo.config.studies import Study, load_study, load_suite
from maspo.config.task import HubFile, HubTask, ModularTask, Task
from maspo.config.variants import build_objective, objective_settings

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
    "as_dict",
    "build_objective",
    "config_dir",
    "experiment_from",
    "gpus",
    "load_experiment",
    "load_study",
    "load_suite",
    "objective_settings",
    "options",
    "split_variant",
]
