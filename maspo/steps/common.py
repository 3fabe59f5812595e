"""What the steps share: their command line and the manifest of what they did."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from maspo.config import Experiment, as_dict, gpus, load_experiment
from maspo.devices import devices
from maspo.errors import ConfigError, MaspoError
from maspo.layout import Layout
from maspo.provenance import write_manifest
from maspo.stopwatch import Stopwatch

Step = Callable[..., None]  # of an Experiment, and of the values of its own options


def run_step(
    step: Step,
    needs: tuple[str, ...] = (),
    others: Mapping[str, tuple[Step, tuple[str, ...]]] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
) -> None:
    """Compose the experiment from the command line, run `step` on it and exit.

    `needs` names the settings that this step cannot do without (``variant``, ``seed``). `others`
    are done in place of the step, by option of the command line, each with its own needs. `options`
    are others, by name in the words of `argparse`, whose values the step takes as keywords. A step
    that computes on GPUs holds them meanwhile. Errors meant for the user are printed without a
    traceback; the exit status is then 1.
    """
    parser = argparse.ArgumentParser(description=step.__doc__)
    parser.add_argument("overrides", nargs="*", help="Hydra overrides such as scale=smoke")
    if others:
        choice = parser.add_mutually_exclusive_group()
        for option, (other, _) in others.items():
            how = {"dest": "other", "action": "store_const", "const": option}
            choice.add_argument(option, **how, help=other.__doc__.partition("\n")[0])
    for name, how in (options or {}).items():
        parser.add_argument(f"--{name}", **how)
    arguments = parser.parse_intermixed_args()
    chosen = {name: getattr(arguments, name) for name in options or {}}
    if others and arguments.other:
        step, needs = others[arguments.other]
        chosen = {}
    try:
        experiment = load_experiment(arguments.overrides)
        for name in needs:
            if getattr(experiment, name) is None:
                raise ConfigError(f"{name} is missing: add {name}=... to the command line")
        with devices(gpus(experiment, step.__name__)):
            step(experiment, **chosen)
    except MaspoError as error:
        sys.exit(f"error: {error}")


class StepManifest:
    """Times a step and writes its manifest at the end."""

    def __init__(self, name: str, experiment: Experiment) -> None:
        self.name, self.experiment = name, experiment
        self.layout = Layout(Path(experiment.results))
        self.started = datetime.now(UTC)
        self.watch = Stopwatch()

    def timed(self, part: str) -> AbstractContextManager[None]:
        """Count the seconds of a block under a name."""
        return self.watch.timed(part)

    def finish(
        self,
        folder: Path,
        settings: Mapping[str, Any],
        seeds: Mapping[str, int],
        inputs: Iterable[Path],
        outputs: Iterable[Path],
        name: str = "manifest.json",
        headlines: Iterable[str] = (),
    ) -> None:
        """Write the manifest into `folder`; print what was written, and the lines `headlines`."""
        outputs = list(outputs)
        write_manifest(
            folder / name,
            self.layout.root,
            self.name,
            settings,
            as_dict(self.experiment),
            inputs,
            outputs,
            seeds,
            self.started,
            self.watch.seconds,
        )
        seconds = (datetime.now(UTC) - self.started).total_seconds()
        names = [str(path.relative_to(folder)) for path in outputs if path.is_relative_to(folder)]
        print(f"wrote {folder} in {seconds:.0f} s: {', '.join([*names, name])}")
        for line in headlines:
            print(f"  {line}")
