"""Where every result of one scale lies. `workflow/rules/` spells the same paths out."""

import re
from dataclasses import dataclass
from pathlib import Path

BASE_VARIANT = "base"  # the policies before RL; a published one has seed 0
# What is in a results folder, and the step that makes it.
MADE = {
    r"/data/(benchmarks/)?[^/]+\.(parquet|csv)$": "data",
    r"/base/seed_(?P<seed>\d+)/": "base seed={seed}",
    r"/runs/(?P<variant>[^/]+)/seed_(?P<seed>\d+)/": "train variant={variant} seed={seed}",
    r"/evaluation/(?P<variant>[^/]+)/seed_(?P<seed>\d+)/": (
        "evaluate variant={variant} seed={seed}"
    ),
}


def missing(path: Path | str) -> str:
    """Return the message for a file that is not there; of a results folder, with its step."""
    place = f"/{Path(path).as_posix()}"
    for pattern, step in MADE.items():
        if found := re.search(pattern, place):
            made = step.format(**found.groupdict())
            return (
                f"{path} is missing: Snakemake makes it, or `python -m maspo.steps.{made}` with "
                "the same overrides"
            )
    return f"{path} is missing"


@dataclass(frozen=True)
class Layout:
    """Paths below a results folder such as ``results/mini``."""

    root: Path

    @property
    def data(self) -> Path:
        """Training problems and ``benchmarks/<name>.parquet``."""
        return self.root / "data"

    def problems(self, name: str) -> Path:
        """A file of training problems: ``train``, or another of the task's."""
        return self.data / f"{name}.parquet"

    def base(self, seed: int) -> Path:
        """A base policy and its learning curve; see `Model.base_seed` for its seed."""
        return self.root / "base" / f"seed_{seed}"

    def run(self, variant: str, seed: int) -> Path:
        """One finished RL run."""
        return self.root / "runs" / variant / f"seed_{seed}"

    def checkpoints(self, variant: str, seed: int) -> Path:
        """The unfinished state of one RL run; gone when the run is finished."""
        return self.root / "checkpoints" / variant / f"seed_{seed}"

    def evaluation(self, variant: str, seed: int) -> Path:
        """The records of one policy."""
        return self.root / "evaluation" / variant / f"seed_{seed}"

    def unfinished_evaluation(self, variant: str, seed: int) -> Path:
        """The records drawn so far of one evaluation; gone when it is finished."""
        return self.root / "checkpoints" / f"evaluation-{variant}" / f"seed_{seed}"

    def policy(self, variant: str, seed: int) -> Path:
        """The policy of a run, or a base policy for the variant ``base``."""
        folder = self.base(seed) if variant == BASE_VARIANT else self.run(variant, seed)
        return folder / "policy"

    def snapshot(self, variant: str, seed: int, step: int) -> Path:
        """The policy of a run after one of the steps of `train.snapshots`."""
        return self.run(variant, seed) / "snapshots" / f"step_{step}"

    def suite(self, suite: str) -> Path:
        """What is reported of one suite: ``tables/``, ``figures/``, ``claims.json``."""
        return self.root / suite

    def tables(self, suite: str) -> Path:
        """The tables of one suite, some files a study."""
        return self.suite(suite) / "tables"
