"""The files of `configs/`: where they are, what they offer, and composed by Hydra."""

import os
from collections.abc import Sequence
from pathlib import Path

from hydra import compose, initialize_config_dir
from hydra.errors import HydraException
from omegaconf import DictConfig

from maspo.errors import ConfigError


def config_dir() -> Path:
    """Return the folder of the Hydra configuration: $MASPO_CONFIGS, or this checkout's."""
    folder = Path(os.environ.get("MASPO_CONFIGS", Path(__file__).parents[2] / "configs"))
    if not (folder / "config.yaml").is_file():
        raise ConfigError(
            f"{folder} holds no config.yaml: run from an editable install of the checkout "
            "(pip install -e .) or point MASPO_CONFIGS at its configs folder"
        )
    return folder.resolve()


def options(group: str) -> list[str]:
    """Return the names that a configuration group offers, for example of `objective`."""
    return sorted(path.stem for path in (config_dir() / group).glob("*.yaml"))


def compose_raw(overrides: Sequence[str], file: str = "config") -> DictConfig:
    """Compose a file of `configs/` with Hydra; report a bad override as `ConfigError`."""
    try:
        with initialize_config_dir(str(config_dir()), version_base="1.3"):
            return compose(file, overrides=list(overrides))
    except HydraException as error:
        raise ConfigError(f"overrides {list(overrides)}: {error}") from error
