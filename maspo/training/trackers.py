"""Optional trackers beside the log of a run: TensorBoard, Weights & Biases, trackio.

The JSON lines are the record, and a tracker repeats their numbers for those who watch. It is no
setting of an experiment: nothing depends on it, and no manifest names it. What cannot work is
refused before anything is loaded; what fails later switches the tracker off, and the run goes on.
"""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from maspo.errors import ConfigError

Send = Callable[[int, dict[str, float]], None]  # step, value by name
FOLDER = Path("tracking")  # of the current folder; beside the results, whose files are audited
INSTALL = (
    "pip install -c constraints/cpu.txt -c constraints/extras.txt -e '.[trackers]', or "
    "pip install -e '.[trackio]' (docs/follow.md)"
)


@dataclass(frozen=True)
class Watched:
    """What a tracker is told of a run."""

    project: str
    group: str  # runs that belong together: those of a variant
    name: str
    settings: Mapping[str, Any]
    folder: Path


@dataclass
class Tracker:
    """Passes rows of the log on until the first error."""

    name: str
    send: Send
    finish: Callable[[], None]
    failed: bool = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._try(self.finish)

    def log(self, step: int, **rows: Mapping[str, Any]) -> None:
        """Send the plain numbers of the rows of a step, as ``<name of the row>/<name>``."""
        numbers = {
            f"{row}/{name}": float(value)
            for row, values in rows.items()
            for name, value in values.items()
            if isinstance(value, int | float) and name != "step"
        }
        self._try(lambda: self.send(step, numbers))

    def _try(self, act: Callable[[], None]) -> None:
        if self.failed:
            return
        try:
            act()
        except Exception as error:  # of any library: none may end a run
            self.failed = True
            text = f"{type(error).__name__}: {error}"
            print(
                f"{self.name} failed and is switched off ({text}); the run goes on, and its log "
                "is whole",
                file=sys.stderr,
                flush=True,
            )


def _tensorboard(run: Watched) -> tuple[Send, Callable[[], None]]:
    from torch.utils.tensorboard import SummaryWriter

    # What an attempt that was killed wrote is hidden: the log tells all of it once more.
    writer = SummaryWriter(str(run.folder / "tensorboard" / run.group / run.name), purge_step=0)

    def send(step: int, numbers: dict[str, float]) -> None:
        for name, value in numbers.items():
            writer.add_scalar(name, value, step)

    return send, writer.close


def _wandb(run: Watched) -> tuple[Send, Callable[[], None]]:
    import wandb

    started = wandb.init(
        project=os.environ.get("WANDB_PROJECT", run.project),
        name=f"{run.group} {run.name}",
        group=run.group,
        config=dict(run.settings),
        dir=os.environ.get("WANDB_DIR", str(run.folder)),
        mode=os.environ.get("WANDB_MODE", "offline"),
        settings=wandb.Settings(console="off", silent=True, init_timeout=60, finish_timeout=60),
    )

    def finish() -> None:
        started.finish()
        wandb.teardown()  # its service writes the last rows when it ends

    return (lambda step, numbers: started.log(numbers, step=step)), finish


def _trackio(run: Watched) -> tuple[Send, Callable[[], None]]:
    os.environ.setdefault("TRACKIO_DIR", str(run.folder.absolute() / "trackio"))
    import trackio

    started = trackio.init(
        project=run.project,
        name=f"{run.group} {run.name}",
        group=run.group,
        config=dict(run.settings),
        embed=False,
        auto_log_cpu=False,
        auto_log_gpu=False,
    )
    return (lambda step, numbers: started.log(numbers, step=step)), started.finish


TRACKERS: dict[str, Callable[[Watched], tuple[Send, Callable[[], None]]]] = {
    "tensorboard": _tensorboard,
    "wandb": _wandb,
    "trackio": _trackio,
}


def open_tracker(
    name: str | None, project: str, group: str, run: str, settings: Mapping[str, Any]
) -> AbstractContextManager[Tracker | None]:
    """Return a tracker, or nothing without a name.

    Files go to ``tracking/<project>/``, unless variables of the libraries themselves say
    otherwise (``WANDB_DIR``, ``TRACKIO_DIR``). Nothing leaves the machine unless they ask for it
    (``WANDB_MODE=online``, ``TRACKIO_SPACE_ID``).

    Raises:
        ConfigError: an unknown name, a package that is missing, a folder that cannot be written,
            a login that is missing.
    """
    if name is None:
        return nullcontext()
    if name not in TRACKERS:
        raise ConfigError(f"tracker {name!r} is unknown: valid are {sorted(TRACKERS)}")
    folder = FOLDER / project
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tracker = Tracker(name, *TRACKERS[name](Watched(project, group, run, settings, folder)))
    except ImportError as error:
        raise ConfigError(f"--track {name} needs a package ({error}): {INSTALL}") from error
    except Exception as error:  # of any library
        raise ConfigError(
            f"--track {name} cannot start ({type(error).__name__}: {error}): correct it, or leave "
            "it out; nothing was trained"
        ) from error
    return tracker
