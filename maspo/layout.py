"""Where every result of one scale lies. `workflow/rules/` spells the same paths out."""

from dataclasses import dataclass
from pathlib import Path

BASE_VARIANT = "base"  # the policy before RL, evaluated once, as seed 0


@dataclass(frozen=True)
class Layout:
    """Paths below a results folder such as ``results/mini``."""

    root: Path

    @property
    def data(self) -> Path:
        """``train.parquet`` and ``benchmarks/<name>.parquet``."""
        return self.root / "data"

    @property
    def base(self) -> Path:
        """The base policy and its learning curve."""
        return self.root / "base"

    def run(self, variant: str, seed: int) -> Path:
        """One finished RL run."""
        return self.root / "runs" / variant / f"seed_{seed}"

    def checkpoints(self, variant: str, seed: int) -> Path:
        """The unfinished state of one RL run; gone when the run is finished."""
        return self.root / "checkpoints" / variant / f"seed_{seed}"

    def evaluation(self, variant: str, seed: int) -> Path:
        """The records of one policy."""
        return self.root / "evaluation" / variant / f"seed_{seed}"

    def policy(self, variant: str, seed: int) -> Path:
        """The policy of a run, or the base policy for the variant ``base``."""
        return (self.base if variant == BASE_VARIANT else self.run(variant, seed)) / "policy"

    def suite(self, suite: str) -> Path:
        """What is reported of one suite: ``tables/``, ``figures/``, ``claims.json``."""
        return self.root / suite

    def tables(self, suite: str) -> Path:
        """The tables of one suite, some files a study."""
        return self.suite(suite) / "tables"
