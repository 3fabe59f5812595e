"""One GPU job a device: a job takes free devices at its start and holds them to its end.

A slot is a file that the job has locked. The kernel gives a lock back when its process ends,
however it ends, so a crash leaves no slot taken. Slurm assigns devices itself: inside a Slurm job
the slots are that job's own.
"""

import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

from filelock import FileLock, Timeout

from maspo.errors import ConfigError, DeviceError

POLL = 0.5  # seconds between two looks for a free device
DRIVER = Path("/proc/driver/nvidia/version")
LEAST_DRIVER = {"13": 580, "12": 525}  # by CUDA; NVIDIA's release notes of the CUDA Toolkit
UNIQUE = ("GPU-", "MIG-")  # how the ids start that are no index


def device_ids() -> list[str]:
    """Return the devices that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return visible_ids(visible)
    import torch

    return [str(i) for i in range(torch.cuda.device_count())]


def visible_ids(text: str) -> list[str]:
    """Return the devices that a value of CUDA_VISIBLE_DEVICES names, read as CUDA reads it.

    The first entry that is no device (``-1``, ``NoDevFiles``, an empty one) ends the list, an
    index is what digits an entry starts with, and a device named twice leaves none.
    """
    ids: list[str] = []
    for entry in map(str.strip, text.split(",")):
        if not entry.startswith(UNIQUE):
            if not (index := re.match(r"\+?[0-9]+", entry)):
                break
            entry = str(int(index[0]))
        if entry in ids:
            return []
        ids.append(entry)
    return ids


def slots_folder() -> Path:
    """Return the folder of this user's slots on this machine, or of the Slurm job's."""
    place = f"maspo-devices-{os.getuid()}"
    return Path(tempfile.gettempdir()) / place / os.environ.get("SLURM_JOB_ID", "local")


def check_driver(file: Path = DRIVER, cuda: str | None = None) -> None:
    """Refuse a driver that is older than what torch's CUDA asks for.

    torch only says that there is no GPU then.

    Args:
        file: what the driver says of itself; one that is not there is no reason to refuse.
        cuda: version that torch was built for; default: this torch's.

    Raises:
        ConfigError: the driver is too old; the message has its version and the remedy.
    """
    if cuda is None:
        import torch

        cuda = torch.version.cuda or ""
    least = LEAST_DRIVER.get(cuda.partition(".")[0])
    found = re.search(r"\s(\d{3,})\.\d", file.read_text()) if file.is_file() else None
    if least and found and int(found[1]) < least:
        raise ConfigError(
            f"the NVIDIA driver here is {found[1]}, and CUDA {cuda} of this torch needs {least} or "
            "newer: another node or a newer driver, or a torch that is built for an older CUDA"
        )


@contextmanager
def devices(
    count: int,
    ids: Sequence[str] | None = None,
    folder: Path | None = None,
    patience: float | None = None,
) -> Iterator[list[str]]:
    """Hold `count` devices and let CUDA see these alone; wait while others hold them.

    Must be entered before CUDA starts in this process.

    Args:
        count: number of devices; 0 changes nothing.
        ids: the devices to choose from; default: `device_ids`.
        folder: of the slots; default: `slots_folder`.
        patience: seconds to wait for devices that are taken; None: as long as it takes.

    Raises:
        ConfigError: there are fewer devices than `count`, or the driver is too old for torch.
        DeviceError: they were not free in time; the message names the processes that hold them.
    """
    if count == 0:
        yield []
        return
    check_driver()
    ids = device_ids() if ids is None else list(ids)
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    if len(ids) < count:
        seen = ", ".join(ids) or "none"
        raise ConfigError(
            f"this step needs {count} GPUs, but sees {len(ids)} ({seen}) with "
            f"CUDA_VISIBLE_DEVICES {'not set' if before is None else repr(before)}: "
            "run it on a machine that has them, name them in CUDA_VISIBLE_DEVICES, or lower "
            "engine.gpus_per_node; scale=mini needs none"
        )
    folder = folder or slots_folder()
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with ExitStack() as held:
        taken = _wait(count, ids, folder, patience, held)
        os.environ["CUDA_VISIBLE_DEVICES"] = ",".join(taken)
        try:
            yield taken
        finally:
            if before is None:
                del os.environ["CUDA_VISIBLE_DEVICES"]
            else:
                os.environ["CUDA_VISIBLE_DEVICES"] = before


def _wait(
    count: int, ids: list[str], folder: Path, patience: float | None, held: ExitStack
) -> list[str]:
    start, told = time.monotonic(), False
    while True:
        # All or none: two jobs that each hold a part would wait for each other for ever.
        with ExitStack() as attempt:
            taken = []
            for name in ids:
                if len(taken) < count and (slot := _lock(_slot(folder, name))):
                    attempt.callback(slot.release)
                    taken.append(name)
            if len(taken) == count:
                held.push(attempt.pop_all())
                return taken
        message = f"{count} of the GPUs {', '.join(ids)} are needed; taken: {_holders(ids, folder)}"
        if patience is not None and time.monotonic() - start >= patience:
            raise DeviceError(
                f"{message}. Wait for them to end or lower --resources gpu=... of Snakemake"
            )
        if not told:
            print(f"waiting: {message}", file=sys.stderr, flush=True)
            told = True
        time.sleep(POLL)


def _slot(folder: Path, name: str) -> Path:
    """Return the file of a device's slot: ids such as ``MIG-GPU-<uuid>/1/0`` hold slashes."""
    return folder / f"{quote(name, safe='')}.lock"


def _lock(path: Path) -> FileLock | None:
    """Return the lock of a slot, or None where another process has it."""
    slot = FileLock(path, blocking=False)
    try:
        slot.acquire()
    except Timeout:
        return None
    path.write_text(f"process {os.getpid()}")
    return slot


def _holders(ids: list[str], folder: Path) -> str:
    """Say who wrote itself into each slot last."""
    files = {name: _slot(folder, name) for name in ids}
    return ", ".join(f"{name} by {f.read_text()}" for name, f in files.items() if f.is_file())
