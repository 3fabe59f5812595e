# The experiment, and what the rules need to know of it.
import json
import os
import re
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from maspo.config import (
    as_dict,
    build_objective,
    load_experiment,
    objective_settings,
    sweep_variants,
)
from maspo.errors import MaspoError


def check_keys(config, schema):
    """Refuse keys that the schema does not have, naming those that it has."""
    with open(schema) as file:
        valid = json.load(file)["properties"]
    for key in config:
        if key not in valid:
            raise WorkflowError(
                f"unknown --config key {key!r}: valid are {', '.join(valid)}"
            )


def read_sweeps(config, experiment):
    """Return the variants of each sweep to build, every objective checked."""
    if "variants" in config:
        sweeps = {"custom": config["variants"].split(",")}
    else:
        names = config["sweeps"].split(",") if "sweeps" in config else experiment.sweeps
        sweeps = {name: sweep_variants(name) for name in names}
    for variant in dict.fromkeys(v for variants in sweeps.values() for v in variants):
        build_objective(variant)
    return sweeps


SCHEMA = workflow.source_path("../schemas/config.schema.json")
check_keys(config, SCHEMA)
validate(config, SCHEMA)
OVERRIDES = [f"scale={config['scale']}", *shlex.split(config.get("overrides", ""))]
if "seeds" in config:
    OVERRIDES.append(f"seeds={config['seeds']}")
try:
    EXPERIMENT = load_experiment(OVERRIDES)
    SWEEPS = read_sweeps(config, EXPERIMENT)
except MaspoError as error:
    raise WorkflowError(str(error)) from None

RESULTS = EXPERIMENT.results
SEEDS = range(1, EXPERIMENT.seeds + 1)
BENCHMARKS = EXPERIMENT.task.benchmarks
FIGURES = f"{RESULTS}/figures"
# The conda environment of the rules, used with `--sdm conda`; else jobs run in this very one.
ENVIRONMENT = str(Path(workflow.basedir) / "environment.yml")
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
)
STEP = "python -m maspo.steps"
# A figure is a script that reads the results folder and writes NAME.pdf and NAME.png.
FIGURE = (
    f"python {{input.script}} --results {RESULTS} --sweep {{wildcards.sweep}} "
    "--output $(dirname {output.png}) > {log} 2>&1"
)


def arguments(*groups):
    """Return the overrides that concern a step: a change of others does not change its command."""
    concerned = ("scale", "results", "threads", *groups)
    return shlex.join(
        override for override in OVERRIDES if re.split("[.=]", override)[0] in concerned
    )


def settings(*parts):
    """Return the settings that a rule's outputs depend on: a change of them reruns the rule."""
    return json.dumps([EXPERIMENT.threads, *map(as_dict, parts)], sort_keys=True)


def policy_of(wildcards):
    """Return the folder of the policy that an evaluation reads."""
    if wildcards.variant == "base":
        return rules.base.output.policy
    return rules.train.output.policy.format(**wildcards)


def runs_of(sweep):
    """Return (variant, seed) of every run that a sweep compares."""
    return [(variant, seed) for variant in SWEEPS[sweep] for seed in SEEDS]


def records_of(wildcards):
    """Return the records of every run of a sweep, and of the base policy."""
    runs = [("base", 0), *runs_of(wildcards.sweep)]
    return [
        rules.evaluate.output.records.format(variant=variant, seed=seed)
        for variant, seed in runs
    ]


def metrics_of(wildcards):
    """Return the training logs of every run of a sweep."""
    return [
        rules.train.output.metrics.format(variant=variant, seed=seed)
        for variant, seed in runs_of(wildcards.sweep)
    ]


def sweep_arguments(wildcards):
    """Return the overrides that name one sweep and its variants for the table step."""
    variants = ",".join(SWEEPS[wildcards.sweep])
    return shlex.join([f"sweeps=[{wildcards.sweep}]", f"variants=[{variants}]"])


def figure_file(name):
    """Return the path of a figure's script, or of a module that the scripts share."""
    return str(Path(workflow.basedir) / "figures" / f"{name}.py")


wildcard_constraints:
    seed=r"\d+",
    sweep="|".join(SWEEPS),
