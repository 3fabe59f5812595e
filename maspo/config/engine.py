"""Settings of what trains a run."""

from dataclasses import asdict, dataclass
from typing import Any

from omegaconf import MISSING

from maspo.config.checks import Count, InnerShare, require, require_bounds

# Settings of `train` that an engine does not read, each with the one value that says so.
UNREAD: dict[str, dict[str, Any]] = {
    "local": {},
    "verl": {
        "lr_schedule": "constant",
        "min_lr_ratio": 0.0,
        "logits_chunk": None,
        "precision": None,
        "gradient_checkpointing": None,
        "micro_batch_tokens": None,
        "snapshots": [],
        "old_policy": "trainer",
        "importance_cap": None,
        "rollouts_mb": None,
    },
}
PLACE = ("launcher", "python", "slurm", "reward_workers")  # where verl runs, and how it is started


@dataclass
class Engine:
    """What trains a run: `local` is this package's own loop. `kind` chooses the subclass."""

    kind: str = MISSING

    @property
    def behind_results(self) -> dict[str, Any]:
        """The settings that results depend on. Those of `PLACE` may change within a study."""
        return {name: value for name, value in asdict(self).items() if name not in PLACE}


@dataclass
class VerlEngine(Engine):
    """Training by verl (`maspo.integrations.verl.launch`)."""

    launcher: str = MISSING  # process, ray or slurm
    python: str = MISSING  # the interpreter that has verl
    nodes: Count = MISSING
    gpus_per_node: Count = MISSING
    tensor_parallel: Count = MISSING  # of vLLM
    sequence_parallel: Count = MISSING  # of the training
    tokens_per_gpu: Count = MISSING  # of a micro-batch, prompts and completions
    rollout_memory: InnerShare = MISSING  # share of a GPU that vLLM may take
    offload: bool = MISSING  # weights and optimizer to host memory while not in use
    reward_workers: Count = MISSING
    slurm: dict[str, str] = MISSING  # options of sbatch
    overrides: list[str] = MISSING  # of verl's configuration, after all others

    def __post_init__(self) -> None:
        known = ("process", "ray", "slurm")
        require(self.launcher in known, "engine.launcher", self.launcher, " or ".join(known))
        require_bounds(self, "engine")
