"""Configuration: typed settings, composed by Hydra from `configs/`."""

from maspo.config.compose import as_dict, config_dir, load_experiment, options
from maspo.config.schema import (
    BuiltModel,
    ChainTask,
    Evaluate,
    Experiment,
    HubFile,
    HubTask,
    PretrainedModel,
    Sampler,
    Supervised,
    Task,
    Train,
)
from maspo.config.variants import build_objective, objective_settings, sweep_variants

__all__ = [
    "BuiltModel",
    "ChainTask",
    "Evaluate",
    "Experiment",
    "HubFile",
    "HubTask",
    "PretrainedModel",
    "Sampler",
    "Supervised",
    "Task",
    "Train",
    "as_dict",
    "build_objective",
    "config_dir",
    "load_experiment",
    "objective_settings",
    "options",
    "sweep_variants",
]
