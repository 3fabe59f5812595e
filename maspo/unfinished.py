"""The folder of a step that may be killed at any moment, and goes on from what it finds there."""

import fcntl
import hashlib
import json
import os
import shutil
import struct
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from maspo.errors import DataError
from maspo.files import read_json, write_json

# The C structure flock, and where its type stands: a question, and its answer.
FLOCK, TYPE = ("qqihh", 3) if sys.platform == "darwin" else ("hhqqi4x", 0)
HELD: set[Path] = set()  # the locks that this process holds


def lock_of(folder: Path) -> Path:
    """Return the file that the process which works into a folder holds."""
    return folder.with_name(f".{folder.name}.lock")


def in_work(folder: Path) -> bool:
    """Tell whether a process works into a folder of unfinished work; take no lock for it.

    A process may ask this of a lock that is another's alone.
    """
    asked = [0] * 5
    asked[TYPE] = fcntl.F_WRLCK
    try:
        with lock_of(folder).open("rb") as file:
            answer = fcntl.fcntl(file, fcntl.F_GETLK, struct.pack(FLOCK, *asked))
    except OSError:
        return False
    return struct.unpack(FLOCK, answer)[TYPE] != fcntl.F_UNLCK


@dataclass(frozen=True)
class Unfinished:
    """What a step has done so far.

    It lies outside the step's declared outputs, because Snakemake deletes those before a job and
    after a failed one. `fingerprint` names everything the work depends on: what another
    fingerprint left is of other work and is cleared.
    """

    folder: Path
    fingerprint: str
    doing: ClassVar[str] = "writes"  # for the message to a second process

    @classmethod
    def of(cls, folder: Path, identity: Any) -> Self:
        """Return the folder of the work that `identity`, of plain containers, describes."""
        text = json.dumps(identity, sort_keys=True)
        return cls(folder, hashlib.sha256(text.encode()).hexdigest())

    def prepare(self) -> None:
        """Create the folder; clear it if what it holds belongs to other work.

        Raises:
            DataError: another process does this work: a step lives on when the Snakemake that
                started it is killed, and two would write the same files.
        """
        self._lock()
        owner = self.folder / "fingerprint.json"
        if owner.is_file() and read_json(owner) == self.fingerprint:
            return
        self.clear()
        write_json(owner, self.fingerprint)

    def clear(self) -> None:
        """Delete the folder and everything in it."""
        # First: a kill before the end must not leave a checkpoint whose logs are gone.
        (self.folder / "fingerprint.json").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _lock(self) -> None:
        """Hold a lock until this process ends, however it ends."""
        path = lock_of(self.folder).absolute()
        if path in HELD:
            return
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
                f"another process {self.doing} into {self.folder} (it holds {path}): let it end, "
                "or end it; then give the command again"
            ) from error
        HELD.add(path)
