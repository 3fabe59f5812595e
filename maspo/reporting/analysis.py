"""What the reports are computed with: `configs/claims.yaml`, read and checked.

The file holds what efficiency and collapse mean and the names of the paper's method; its claims
are read by `maspo.reporting.claims_file`. The settings of the statistics are the experiment's.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml

from maspo.config import config_dir
from maspo.errors import ConfigError
from maspo.statistics import Settings

SECTIONS = ("efficiency", "collapse", "ours", "claims")


@dataclass(frozen=True)
class Efficiency:
    """How fast a run learns: steps until the mean reward of `window` steps reaches `rewards`."""

    window: int
    rewards: tuple[float, ...]


@dataclass(frozen=True)
class Collapse:
    """When a run counts as collapsed; see `maspo.reporting.collapse`."""

    window: int  # steps
    reward_share: float  # of the best reward that the run has had
    entropy_share: float  # of the entropy that the run began with
    solved: float  # reward from which low entropy is no fault


@dataclass(frozen=True)
class Analysis:
    """Every setting of the reports besides the claims."""

    statistics: Settings
    efficiency: Efficiency
    collapse: Collapse
    ours: tuple[str, ...]  # names that the paper's method has in the studies


def claims_path() -> Path:
    """Return where the claims and the settings of their statistics stand."""
    return config_dir() / "claims.yaml"


def read_sections(path: Path) -> dict[str, Any]:
    """Return the sections of the file; ConfigError if it cannot be read or has others."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ConfigError(f"could not read {path}: {error}") from error
    if not isinstance(content, dict) or set(content) != set(SECTIONS):
        found = sorted(content) if isinstance(content, dict) else type(content).__name__
        raise ConfigError(f"{path} must hold {list(SECTIONS)}, it holds {found}")
    return content


def load_analysis(statistics: Settings, path: Path | None = None) -> Analysis:
    """Return the settings of `configs/claims.yaml`, checked.

    Raises:
        ConfigError: a setting is unknown, missing or out of range.
    """
    path = path or claims_path()
    content = read_sections(path)
    efficiency = build(Efficiency, content["efficiency"], f"{path}: efficiency")
    collapse = build(Collapse, content["collapse"], f"{path}: collapse")
    analysis = Analysis(
        statistics,
        Efficiency(efficiency.window, tuple(efficiency.rewards)),
        collapse,
        tuple(content["ours"]),
    )
    shares = {f"collapse.{n}": getattr(collapse, n) for n in ("reward_share", "entropy_share")}
    rewards = [("efficiency.rewards", reward) for reward in analysis.efficiency.rewards]
    for name, value in [*shares.items(), ("collapse.solved", collapse.solved), *rewards]:
        if not 0 < value <= 1:
            raise ConfigError(f"{path}: {name}={value!r} is not valid: it must be in (0, 1]")
    for name, value in (
        ("efficiency.window", efficiency.window),
        ("collapse.window", collapse.window),
    ):
        if type(value) is not int or value < 1:
            raise ConfigError(f"{path}: {name}={value!r} is not valid: it must be at least 1")
    return analysis


def build(kind: type, values: Any, place: str) -> Any:
    """Return `kind` made from a mapping that has each of its fields and nothing else."""
    names = [field.name for field in fields(kind)]
    if not isinstance(values, dict) or set(values) != set(names):
        found = sorted(values) if isinstance(values, dict) else values
        raise ConfigError(f"{place} must have exactly {names}, it has {found}")
    try:
        return kind(**values)
    except (TypeError, ValueError) as error:
        raise ConfigError(f"{place}: {values}: {error}") from error
