"""One configuration is behind all steps, and the settings that each states are its own."""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from functools import cache
from typing import Any

from maspo import __version__
from maspo.audit.finding import Finding, note
from maspo.audit.runs import unequal
from maspo.audit.tree import SCHEMA, Manifest, Tree
from maspo.config import SUITES, as_dict, experiment_from, load_experiment, objective_settings
from maspo.config.engine import PLACE
from maspo.errors import ConfigError
from maspo.files import read_json

# What of the configuration the outputs of each step depend on. The `train` of a run is the matter
# of `fairness`, since the name of a variant may change it.
SHARED = ("scale", "task", "model", "sampler", "evaluate", "threads")
REPORTED = (*SHARED, "train", "engine", "statistics")
KEYS = read_json(SCHEMA)["properties"].keys()  # of a manifest
# Of one step, so not of all: other checks read these. Here stands a value of each that is valid.
OWN = {"results": "results", "suite": "custom"} | dict.fromkeys(("seed", "variant", "tables_of"))
USED = {
    "data": ("scale", "task"),
    "base": ("scale", "task", "model", "threads"),
    "train": ("scale", "task", "model", "sampler", "engine", "threads"),
    "evaluate": SHARED,
    "table": REPORTED,
    "claims": REPORTED,
}


def check_settings(tree: Tree) -> Iterator[Finding]:
    """Compare the configurations of the steps with each other, then with ``configs/``."""
    values: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for name, manifest in tree.manifests.items():
        for place, part in parts(name, manifest):
            values[place, part][json.dumps(part_of(manifest, part), sort_keys=True)] += 1
    usual = {key: json.loads(found.most_common(1)[0][0]) for key, found in values.items()}
    for name, manifest in tree.manifests.items():
        for place, part in parts(name, manifest):
            yield from differing(name, part, usual[place, part], part_of(manifest, part))
        suite = name.partition("/")[0]
        if suite in SUITES and manifest["experiment"].get("suite") != suite:
            found = str(manifest["experiment"].get("suite"))
            yield Finding("settings", name, f"experiment.suite={suite!r}", found)
        stated, meant = pairs(tree, name, manifest)
        if tree.other_version:
            meant = present(meant, stated)
        yield from unequal("settings", name, manifest["step"], meant, stated)
        yield from unlisted(name, manifest)
    scale = usual["", "scale"]
    ours = as_dict(load_experiment([f"scale={scale}"]))
    for (_, part), value in usual.items():
        for found in differing(f"configs/scale/{scale}.yaml", part, ours[part], value):
            yield note("settings", found.file, found.expected, found.found)


def unlisted(name: str, manifest: Manifest) -> Iterator[Finding]:
    """Yield what a manifest holds that no step writes, and settings that are not of this package.

    Notes where another version of this package wrote it: its settings may have been others.
    """
    found = [
        Finding("settings", name, "only what every step writes", key)
        for key in sorted(manifest.keys() - KEYS)
    ]
    whole = {key: OWN.get(key, value) for key, value in manifest["experiment"].items()}
    try:
        complete = known(json.dumps(whole))
        meant = {part: present(value, whole.get(part)) for part, value in complete.items()}
        found += unequal("settings", name, "experiment", meant, whole)
    except ConfigError as error:
        found.append(Finding("settings", name, "settings of this package", str(error)))
    ours = manifest["package"]["maspo"] == __version__
    yield from (f if ours else note(f.check, f.file, f.expected, f.found) for f in found)


def present(meant: Any, found: Any) -> Any:
    """Return the settings that are found too: others came later, and have their defaults."""
    if not (isinstance(meant, dict) and isinstance(found, dict)):
        return meant
    return {key: present(value, found[key]) for key, value in meant.items() if key in found}


@cache
def known(whole: str) -> dict[str, Any]:
    """Return a configuration, given as JSON, with all its settings and no others.

    Raises:
        ConfigError: it has a setting that there is not, or a value that is not valid.
    """
    return plain(as_dict(experiment_from(json.loads(whole))))


def parts(name: str, manifest: Manifest) -> list[tuple[str, str]]:
    """Return what of the configuration a manifest's outputs depend on.

    Each is (suite, part) where only one suite reads it, else ("", part).
    """
    suite = name.partition("/")[0]
    own = SUITES.get(suite, ()) if manifest["step"] in ("table", "claims") else ()
    return [*(("", part) for part in USED[manifest["step"]]), *((suite, part) for part in own)]


def part_of(manifest: Manifest, part: str) -> Any:
    """Return a part of the configuration; of the engine only what results depend on."""
    value = manifest["experiment"][part]
    if part != "engine":
        return value
    return {name: setting for name, setting in value.items() if name not in PLACE}


def differing(name: str, part: str, expected: Any, found: Any) -> Iterator[Finding]:
    """Yield every setting of a part of the configuration that differs."""
    if isinstance(expected, dict) and isinstance(found, dict):
        yield from unequal("settings", name, part, expected, found)
    else:
        yield from unequal("settings", name, "experiment", {part: expected}, {part: found})


def pairs(tree: Tree, name: str, manifest: Manifest) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return settings and seeds as a manifest states them, and as its configuration has them."""
    settings, whole, seeds = {**manifest["settings"]}, manifest["experiment"], manifest["seeds"]
    match manifest["step"]:
        case "data" if "seed" in whole["task"]:
            return {**settings, "seeds": seeds}, {
                **whole["task"],
                "seeds": {"task": whole["task"]["seed"]},
            }
        case "data":
            return settings, whole["task"]
        case "base":
            meant = {"base": whole["seed"]} if whole["model"].get("supervised") else {}
            settings.pop("resolved_revision", None)  # the commit is found at the hub
            return {**settings, "seeds": seeds}, {**whole["model"], "seeds": meant}
        case "train":
            return settings, run_settings(whole, settings)
        case "evaluate":
            return settings, {name: whole[name] for name in ("evaluate", "sampler")}
    suite = name.partition("/")[0]
    studies = {of: plain(asdict(s)) for (there, of), s in tree.studies.items() if there == suite}
    meant = {"statistics": whole["statistics"], "bootstrap": whole["statistics"]["seed"]}
    meant |= (
        {"studies": studies}
        if manifest["step"] == "claims"
        else {"study": studies.get(whole["tables_of"])}
    )
    return {**settings, "bootstrap": seeds["bootstrap"]}, meant


def run_settings(whole: dict[str, Any], stated: dict[str, Any]) -> dict[str, Any]:
    """Return what a run states, by its configuration. Of prompts that were dropped for their length
    only those of a policy that was built here are known: none, since a character is a token.
    """
    model, engine = whole["model"], whole["engine"]
    meant = {"objective": objective_settings(whole["variant"])}
    meant |= {name: whole[name] for name in ("train", "task")}
    meant |= {name: model[name] for name in ("dtype", "device")}
    if engine["kind"] == "verl":
        return meant | {"engine": {k: v for k, v in engine.items() if k not in PLACE}}
    dropped = 0 if model["kind"] == "built" else stated.get("overlong_prompts_dropped")
    return meant | {"sampler": whole["sampler"], "overlong_prompts_dropped": dropped}


def plain(value: Any) -> Any:
    """Return a value as JSON gives it back."""
    return json.loads(json.dumps(value))
