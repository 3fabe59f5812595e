"""The Hydra files: complete, equal to the code's defaults, every value with its source."""

import dataclasses
from pathlib import Path

import pytest
from config_sources import source_of
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from omegaconf import OmegaConf

from maspo.objectives import OBJECTIVES, make, names

FOLDER = Path(__file__).parents[3] / "configs" / "objective"
FILES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
ABLATIONS = {
    "maspo_no_mass": {"alpha": 0.0},
    "maspo_no_risk": {"beta_high": 0.0, "beta_low": 0.0},
    "gaussian_only": {"alpha": 0.0, "beta_high": 0.0, "beta_low": 0.0},
    "maspo_bilateral": {"bilateral": True},
    "maspo_attached_gate": {"attached_gate": True},
    "maspo_paper": {"sigma_max": None, "risk_min": None, "risk_max": None},
}


def composed(name):
    with initialize_config_dir(str(FOLDER.parent), version_base="1.3"):
        return compose(overrides=[f"+objective={name}"])


def test_there_is_a_file_for_every_method_and_ablation():
    assert set(names()) | set(ABLATIONS) <= set(FILES)


@pytest.mark.parametrize("name", names())
def test_a_method_file_holds_every_field_with_the_code_default(name):
    node = OmegaConf.to_container(OmegaConf.load(FOLDER / f"{name}.yaml"))
    method = OBJECTIVES[name]
    assert node.pop("_target_") == f"{method.__module__}.{method.__qualname__}"
    assert node == dataclasses.asdict(make(name))
    assert instantiate(composed(name).objective) == make(name)


@pytest.mark.parametrize("name", ABLATIONS)
def test_an_ablation_is_maspo_with_other_settings(name):
    config = composed(name)
    assert list(config) == ["objective"]
    assert instantiate(config.objective) == make("maspo", **ABLATIONS[name])
    own = OmegaConf.to_container(OmegaConf.load(FOLDER / f"{name}.yaml"))
    assert own.pop("defaults") == ["maspo", "_self_"]
    assert own == ABLATIONS[name]


@pytest.mark.parametrize("name", FILES)
def test_every_line_says_where_its_value_comes_from(name):
    for line in (FOLDER / f"{name}.yaml").read_text().splitlines():
        assert source_of(line), f"{name}: no source on {line!r}"
