# The experiment, and what the rules need to know of it.
import json
import os
import re
import sys
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from jsonschema import Draft202012Validator
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

from maspo.lazy import import_lazily

# The objectives check their settings here and compute in the jobs: torch takes seconds to load.
import_lazily("torch")

from maspo import __version__
from maspo.config import (
    SUITES,
    as_dict,
    config_dir,
    gpus,
    load_experiment,
    load_suite,
    objective_settings,
    overrides_of,
    setting_of,
)
from maspo.config.engine import PLACE
from maspo.errors import MaspoError
from maspo.layout import BASE_VARIANT
from maspo.reporting.outputs import (
    CLAIMS,
    STUDY_FIGURES,
    STUDY_PAGES,
    STUDY_TABLES,
    SUITE_FIGURES,
    SUITE_PAGES,
    SUITE_TABLES,
    suite_figures,
    suite_pages,
)


def check_keys(config, schema):
    """Refuse keys and values that the schema does not have, naming those that it has."""
    with open(schema) as file:
        wanted = json.load(file)
    valid = wanted["properties"]
    for key in config:
        if key not in valid:
            meant = get_close_matches(key.lower(), valid, 1)
            hint = f"did you mean {meant[0]}? Valid" if meant else "valid"
            raise WorkflowError(
                f"unknown --config key {key!r}: {hint} are {', '.join(valid)}; a setting of "
                "the experiment is an override, as in --config overrides=train.lr=1e-4"
            )
    for error in Draft202012Validator(wanted).iter_errors(dict(config)):
        raise WorkflowError(f"--config {'.'.join(error.path)}: {error.message}")


SCHEMA = workflow.source_path("../schemas/config.schema.json")
check_keys(config, SCHEMA)
validate(config, SCHEMA)
try:
    OVERRIDES = overrides_of(config)
    EXPERIMENT = load_experiment(OVERRIDES)
except MaspoError as error:
    raise WorkflowError(str(error)) from None
STUDIES, REFUSED = {}, {}
for suite in SUITES:
    try:
        STUDIES[suite] = load_suite(EXPERIMENT, suite)
    except MaspoError as error:
        STUDIES[suite], REFUSED[suite] = {}, str(error)

ROOT = Path(str(workflow.current_basedir)).parents[1]  # of the checkout
RESULTS = Path(EXPERIMENT.results).as_posix()
for path, place in (
    (RESULTS, "results"),
    (str(ROOT), "the folder of the workflow"),
    (str(config_dir()), "MASPO_CONFIGS"),
):
    # Braces are wildcards to Snakemake, and a dash makes an option of a file.
    if re.search(r"[{}\x00-\x1f\x7f]|^-", path):
        raise WorkflowError(
            f"{place}={path!r}: rules cannot have braces, control characters or a dash at the "
            "start of a path; take another folder"
        )
BENCHMARKS = EXPERIMENT.task.benchmarks
LEVEL = f"{100 * EXPERIMENT.statistics.level:g} %"  # of the intervals, for the captions
# The conda environment of the rules, used with `--sdm conda`; else jobs run in this very one.
ENVIRONMENT = str(ROOT / "environment.yml")
os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), *os.get_exec_path()])
)
# Snakemake warns of every rule that could be cached when no cache was asked for.
CACHED = workflow.workflow_settings.cache is not None
# What the reports of a suite depend on besides its runs.
SUITE_SETTINGS = ["seeds", "first_seed", "studies", "variants", "full", "statistics"]
# Names of variants are relative to the settings of `train`; the others the manifest states.
SUITE_SETTINGS += ["task", "model", "sampler", "train", "evaluate", "engine"]


def arguments(*groups, also=()):
    """Return the overrides that concern a step: a change of others does not change its command.

    Those of whole groups, of the settings `also`, and of what the settings of others are checked
    against. As a function of the wildcards, because Snakemake takes braces in a text for wildcards.
    """
    concerned = ("scale", "results", "threads", *groups)
    also = ("task", "model", "evaluate.snapshot_problems", *also)
    chosen = [
        override
        for override in OVERRIDES
        if ((name := setting_of(override)) in also or name.split(".")[0] in concerned)
        and not is_of_place(override)
    ]
    return lambda wildcards: chosen


def ignored_by(suite):
    """Return the settings of the command line that choose studies, but not those of a suite."""
    chosen = {setting_of(override).split(".")[0] for override in OVERRIDES}
    others = {name for names in SUITES.values() for name in names} - {*SUITES[suite]}
    return sorted(chosen & others)


def studies_in(suite):
    """Return the studies of a suite by name; refuse one that would not be what is asked for."""
    if ignored := ignored_by(suite):
        raise WorkflowError(
            f"the suite {suite} does not read {', '.join(ignored)}: its studies come from "
            f"{' and '.join(SUITES[suite])}. Leave out {', '.join(ignored)}, or build another "
            "suite: `all` is of studies, seeds or variants, `full` of "
            'overrides="full.<study>=<seeds>"'
        )
    if suite in REFUSED:
        raise WorkflowError(REFUSED[suite])
    return STUDIES[suite]


def places(wildcards, output):
    """Return the overrides that say where verl runs, and the tracker that follows.

    What depends on `output` is no setting to Snakemake, so a change of it reruns nothing.
    """
    track = [f"--track={config['track']}"] if "track" in config else []
    return [*filter(is_of_place, OVERRIDES), *track]


def is_of_place(override):
    """Tell whether an override says where verl runs, and changes no result."""
    return setting_of(override).split(".")[:2] in [["engine", name] for name in PLACE]


def settings(*parts):
    """Return what a rule's outputs depend on besides its inputs: a change of it reruns the rule."""
    concerned = [__version__, EXPERIMENT.threads, *map(as_dict, parts)]
    return json.dumps(concerned, sort_keys=True)


@cache
def train_settings(variant):
    """Return the settings of training under the conditions that a variant names."""
    if "@" not in variant:
        return EXPERIMENT.train
    try:
        return load_experiment([*OVERRIDES, f"variant={variant}"]).train
    except MaspoError as error:
        raise WorkflowError(f"variant {variant}: {error}") from None


def base_of(wildcards):
    """Return the folder of the base policy that a run starts from."""
    seed = EXPERIMENT.model.base_seed(int(wildcards.seed))
    return rules.base.output.policy.format(seed=seed)


def policies_of(wildcards):
    """Return the folders of the policies of a run: on its way, and at its end."""
    outputs = rules.train.output
    names = [f"snapshot_{step}" for step in EXPERIMENT.train.snapshots]
    return [getattr(outputs, name).format(**wildcards) for name in [*names, "policy"]]


def studies_of(wildcards):
    """Return the study of a table, or those of a whole suite."""
    studies = studies_in(wildcards.suite)
    return (
        [studies[wildcards.study]] if "study" in wildcards.keys() else studies.values()
    )


def records_of(wildcards):
    """Return the records of every run, and of the base policies."""
    policies = [policy for study in studies_of(wildcards) for policy in study.policies]
    return [
        file.format(variant=variant, seed=seed)
        for variant, seed in dict.fromkeys(policies)
        for file in RECORDS[variant == BASE_VARIANT]
    ]


def logs_of(wildcards):
    """Return the training logs of every run."""
    logs = [rules.train.output.metrics, rules.train.output.timings]
    runs = [run for study in studies_of(wildcards) for run in study.runs]
    return [
        log.format(variant=variant, seed=seed)
        for variant, seed in dict.fromkeys(runs)
        for log in logs
    ]


def manifests_of(wildcards):
    """Return the manifests beside all these, which are new where a step was run by hand."""
    files = [*records_of(wildcards), *logs_of(wildcards)]
    return list(
        dict.fromkeys(str(Path(file).with_name("manifest.json")) for file in files)
    )


def study_of(wildcards):
    """Return the study of a figure, whose title and seeds the captions name."""
    return STUDIES[wildcards.suite][wildcards.study]


def tables_of(wildcards):
    """Return the folder of tables that a figure reads."""
    return f"{RESULTS}/{wildcards.suite}/tables"


def figure_file(name):
    """Return the path of a figure's script, or of a module that the scripts share."""
    return str(ROOT / "figures" / f"{name}.py")


wildcard_constraints:
    seed=r"\d+",
    variant=rf"(?!{BASE_VARIANT}/)[^/]+",
    suite="|".join(SUITES),
    study="|".join(
        dict.fromkeys(
            re.escape(study) for suite in STUDIES.values() for study in suite
        )
    ),
