"""Checkpoints of a run that may be killed at any moment."""

from pathlib import Path
from zipfile import BadZipFile, ZipFile

import torch
from torch.optim import Optimizer
from transformers import PreTrainedModel

from maspo.errors import DataError
from maspo.files import atomic
from maspo.unfinished import Unfinished


class CheckpointFolder(Unfinished):
    """The last checkpoint of one run, with the logs written so far.

    The random state of a run is its step: every draw derives from (seed, purpose, step).
    """

    doing = "trains"

    @property
    def state(self) -> Path:
        """The file of step, weights and optimizer state."""
        return self.folder / "checkpoint.pt"

    def snapshot(self, step: int) -> Path:
        """The folder of the policy that is kept of a step."""
        return self.folder / "snapshots" / f"step_{step}"

    def rollouts(self, step: int) -> Path:
        """The file of the groups that are kept of a step."""
        return self.folder / "rollouts" / f"step_{step}.parquet"

    def save(self, step: int, policy: PreTrainedModel, optimizer: Optimizer) -> None:
        """Replace the checkpoint, atomically."""
        state = {"step": step, "policy": policy.state_dict(), "optimizer": optimizer.state_dict()}
        with atomic(self.state, RuntimeError) as temporary:
            torch.save(state, temporary)

    def load(self, policy: PreTrainedModel, optimizer: Optimizer) -> int:
        """Restore policy and optimizer in place; return the number of steps done (0 without).

        Raises:
            DataError: the checkpoint is truncated or of another shape; the message names it.
        """
        if not self.state.is_file():
            return 0
        try:
            with ZipFile(self.state) as archive:  # torch.load does not compare the checksums
                if damaged := archive.testzip():
                    raise BadZipFile(f"{damaged} has another checksum")
            state = torch.load(self.state, weights_only=True, map_location="cpu")  # copied there
            policy.load_state_dict(state["policy"])
            optimizer.load_state_dict(state["optimizer"])
            return int(state["step"])
        except Exception as error:  # a cut zip archive raises a different type at every length
            raise DataError(
                f"the checkpoint {self.state} cannot be read ({type(error).__name__}: {error}); "
                f"delete {self.folder} to train this run from its beginning"
            ) from error
