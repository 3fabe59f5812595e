"""The audit compares what a suite was made with inside the suite, not with another suite."""

from dataclasses import asdict
from types import SimpleNamespace

import pytest

from maspo import __version__
from maspo.audit.configurations import check_settings, plain
from maspo.config import as_dict, load_experiment, load_suite

DEFAULT = load_experiment(["scale=smoke", "seeds=3"])
CUSTOM = load_experiment(["scale=smoke", "variants=[grpo,maspo]"])


def reported(experiment):
    """Return the manifests of the tables and claims of a suite, and its studies."""
    studies = load_suite(experiment)
    statistics = as_dict(experiment.statistics)
    manifests = {}
    for name, study in studies.items():
        own = as_dict(experiment) | {"tables_of": name}
        settings = {"study": plain(asdict(study)), "statistics": statistics}
        manifests[f"{experiment.suite}/tables/{name}_manifest.json"] = {
            **{"step": "table", "experiment": own, "settings": settings, "seeds": {"bootstrap": 0}},
            "package": {"maspo": __version__},
        }
    settings = {"studies": plain({n: asdict(s) for n, s in studies.items()})}
    manifests[f"{experiment.suite}/claims_manifest.json"] = {
        **{"step": "claims", "experiment": as_dict(experiment), "seeds": {"bootstrap": 0}},
        "settings": settings | {"statistics": statistics},
        "package": {"maspo": __version__},
    }
    return manifests, {(experiment.suite, name): study for name, study in studies.items()}


@pytest.fixture
def tree():
    (first, some), (second, others) = reported(DEFAULT), reported(CUSTOM)
    return SimpleNamespace(manifests=first | second, studies=some | others, other_version=None)


def failures(tree):
    return [found for found in check_settings(tree) if found.severity == "failure"]


def test_suites_have_seeds_and_variants_of_their_own(tree):
    assert failures(tree) == []


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("default/claims_manifest.json", "seeds"),
        ("custom/tables/custom_manifest.json", "variants"),
        ("custom/claims_manifest.json", "statistics"),
    ],
)
def test_a_suite_has_one_configuration(tree, name, part):
    changed = {"seeds": 7, "variants": ["sapo"], "statistics": {"draws": 1, "seed": 0}}[part]
    tree.manifests[name]["experiment"][part] = changed
    assert any(part in f"{found.expected} {found.found}" for found in failures(tree))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda m: m["experiment"]["train"].update(warmup=3), "warmup"),
        (lambda m: m["experiment"]["train"].pop("importance_cap"), "importance_cap"),
        (lambda m: m["experiment"].pop("variant"), "variant"),
        (lambda m: m["settings"].update(curriculum="easy first"), "curriculum"),
        (lambda m: m.update(reviewed="yes"), "reviewed"),
    ],
)
def test_the_list_of_settings_is_closed(tree, change, told):
    manifest = tree.manifests["custom/claims_manifest.json"]
    change(manifest)
    assert any(told in f"{found.expected} {found.found}" for found in failures(tree))


def test_settings_of_another_version_are_noted(tree):
    manifest = tree.manifests["custom/claims_manifest.json"]
    manifest["experiment"].pop("resources")
    assert len(failures(tree)) == 1
    manifest["package"]["maspo"] = "0.0.1"
    assert failures(tree) == []
    assert any("resources" in found.expected for found in check_settings(tree))


def test_settings_that_came_later_are_no_failure(tree):
    for manifest in tree.manifests.values():
        del manifest["experiment"]["train"]["rollouts_mb"]
    assert failures(tree) == []
    assert any("train.rollouts_mb" in found.expected for found in check_settings(tree))
    del tree.manifests["custom/claims_manifest.json"]["experiment"]["train"]["min_lr_ratio"]
    assert {found.file for found in failures(tree)} == {"custom/claims_manifest.json"}


def test_a_setting_that_there_always_was_may_not_be_missing(tree):
    for manifest in tree.manifests.values():
        del manifest["experiment"]["train"]["lr"]
    assert {found.file for found in failures(tree)} == set(tree.manifests)
