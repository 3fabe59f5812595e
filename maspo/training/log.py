"""The log of a training run: two JSON-lines files and a line of progress."""

import json
import sys
from pathlib import Path
from typing import Any, Self, TextIO

from rich.progress import Progress

from maspo.errors import DataError
from maspo.files import read_json_lines, write_text
from maspo.training.trackers import Tracker


class TrainingLog:
    """Appends one row a step to ``metrics.jsonl`` and one to ``timings.jsonl``.

    Metrics are the same bytes whenever the run is repeated; seconds are not, so they stand in a
    file of their own. On a terminal a progress bar shows the last row, elsewhere plain lines do.

    Args:
        folder: where the two files are.
        title: what the progress bar is called.
        total: the number of steps.
        done: steps already in the log; rows behind them (of a run that was killed between its
            last checkpoint and its end) are dropped.
        tracker: told every row as well, those of `done` at once.
    """

    def __init__(
        self,
        folder: Path,
        title: str,
        total: int,
        done: int = 0,
        tracker: Tracker | None = None,
    ) -> None:
        self.title, self.total, self.tracker = title, total, tracker
        self.last: dict[str, Any] | None = None  # the last row of metrics
        self.files: dict[str, TextIO] = {}
        for name in ("metrics", "timings"):
            path = folder / f"{name}.jsonl"
            try:
                rows = _keep_rows(path, done)
                if name == "metrics" and rows:
                    self.last = json.loads(rows[-1])
                self.files[name] = path.open("a", encoding="utf-8")
            except OSError as error:
                raise DataError(f"could not write {path}: {error}") from error
        if tracker and done:
            earlier = [read_json_lines(folder / f"{name}.jsonl") for name in self.files]
            for metrics, timings in zip(*earlier, strict=True):
                tracker.log(metrics["step"], train=metrics, timings=timings)
        self.progress = Progress(disable=not sys.stderr.isatty(), transient=True)
        self.task = self.progress.add_task(title, total=total, completed=done)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()
        for file in self.files.values():
            file.close()

    def write(self, step: int, metrics: dict[str, Any], timings: dict[str, Any]) -> None:
        """Append the rows of one step and show the first few metrics."""
        for name, row in (("metrics", metrics), ("timings", timings)):
            file = self.files[name]
            try:
                file.write(json.dumps({"step": step, **row}) + "\n")
                file.flush()
            except OSError as error:
                raise DataError(f"could not write {file.name}: {error}") from error
        self.last = {"step": step, **metrics}
        if self.tracker:
            self.tracker.log(step, train=metrics, timings=timings)
        first, *_ = shown = [f"{key} {value:.3f}" for key, value in list(metrics.items())[:4]]
        self.progress.update(self.task, advance=1, description=f"{self.title}  {first}")
        if self.progress.disable:
            line = f"{self.title}  step {step}/{self.total}  {'  '.join(shown)}"
            print(line, file=sys.stderr, flush=True)


def _keep_rows(path: Path, count: int) -> list[str]:
    if count == 0:
        path.unlink(missing_ok=True)
        return []
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    # A kill may have left half a row at the end; only rows behind the checkpoint can be cut so.
    rows = [row for row in text.splitlines(keepends=True)[:count] if row.endswith("\n")]
    if len(rows) < count:
        raise DataError(
            f"{path} holds {len(rows)} of the {count} steps of its checkpoint: it was cut; "
            f"delete {path.parent} to train this run from its beginning"
        )
    write_text(path, "".join(rows))
    return rows
