"""Checkpoints of a run that may be killed at any moment."""

import fcntl
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile, ZipFile

import torch
from torch.optim import Optimizer
from transformers import PreTrainedModel

from maspo.errors import DataError
from maspo.files import atomic, read_json, write_json


@dataclass(frozen=True)
class CheckpointFolder:
    """The last checkpoint of one run, with the logs written so far.

    It lives outside the step's declared outputs, because Snakemake deletes those before a job
    and after a failed one. `fingerprint` names everything the run depends on: a checkpoint of
    another fingerprint is of another run and is cleared.

    The random state of a run is its step: every draw derives from (seed, purpose, step).
    """

    folder: Path
    fingerprint: str

    @property
    def state(self) -> Path:
        """The file of step, weights and optimizer state."""
        return self.folder / "checkpoint.pt"

    def snapshot(self, step: int) -> Path:
        """The folder of the policy that is kept of a step."""
        return self.folder / "snapshots" / f"step_{step}"

    def prepare(self) -> None:
        """Create the folder; clear it if what it holds belongs to another run.

        Raises:
            DataError: another process trains this run: a step lives on when the Snakemake that
                started it is killed, and two would write the same files.
        """
        self._lock()
        owner = self.folder / "fingerprint.json"
        if owner.is_file() and read_json(owner) == self.fingerprint:
            return
        self.clear()
        write_json(owner, self.fingerprint)

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
            state = torch.load(self.state, weights_only=True, map_location=policy.device)
            policy.load_state_dict(state["policy"])
            optimizer.load_state_dict(state["optimizer"])
            return int(state["step"])
        except Exception as error:  # a cut zip archive raises a different type at every length
            raise DataError(
                f"the checkpoint {self.state} cannot be read ({type(error).__name__}: {error}); "
                f"delete {self.folder} to train this run from its beginning"
            ) from error

    def clear(self) -> None:
        """Delete the folder and everything in it."""
        # First: a kill before the end must not leave a checkpoint whose logs are gone.
        (self.folder / "fingerprint.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _lock(self) -> None:
        """Hold a lock until this process ends, however it ends."""
        path = self.folder.with_name(f".{self.folder.name}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_CREAT | os.O_RDWR)
        except OSError as error:
            raise DataError(f"could not write {path}: {error}") from error
        try:
            fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise DataError(
                f"another process trains into {self.folder} (it holds {path}): let it end, or end "
                "it; then give the command again"
            ) from error
