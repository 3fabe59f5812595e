# The experiment, and what the rules need to know of it.
import json
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from maspo.config import as_dict, check_variant, load_experiment, objective_settings, sweep_variants
from maspo.errors import MaspoError


def check_keys(config, schema):
    """Refuse keys that the schema does not have, naming those that it has."""
    with open(schema) as file:
        valid = json.load(file)["properties"]
    for key in config:
        if key not in valid:
            raise WorkflowError(f"unknown --config key {key!r}: valid are {', '.join(valid)}")


def read_sweeps(config, experiment):
    """Return the variants of each sweep to build, every objective checked."""
    if "variants" in config:
        sweeps = {"custom": config["variants"].split(",")}
    else:
        names = config["sweeps"].split(",") if "sweeps" in config else experiment.sweeps
        sweeps = {name: sweep_variants(name) for name in names}
    for variant in dict.fromkeys(v for variants in sweeps.values() for v in variants):
        check_variant(variant)
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
STEP = f"{shlex.quote(sys.executable)} -m maspo.steps"
ARGUMENTS = shlex.join(OVERRIDES)


def settings(*parts):
    """Return the settings that a rule's outputs depend on: a change of them reruns the rule."""
    return json.dumps([as_dict(part) for part in parts], sort_keys=True)


def policy_of(wildcards):
    """Return the folder of the policy that an evaluation reads."""
    if wildcards.variant == "base":
        return rules.base.output.policy
    return rules.train.output.policy.format(**wildcards)


def runs_of(sweep):
    """Return (variant, seed) of every run that a sweep compares."""
    return [(variant, seed) for variant in SWEEPS[sweep] for seed in SEEDS]


wildcard_constraints:
    seed=r"\d+",
    sweep="|".join(SWEEPS),
