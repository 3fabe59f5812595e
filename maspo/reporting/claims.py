"""Verdicts on the claims of `configs/claims.yaml`: from intervals, never from point estimates."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from maspo.config import load_study
from maspo.layout import Layout
from maspo.reporting.claim_statistics import Effect
from maspo.reporting.claims_file import Claim, Part
from maspo.reporting.format import fixed, interval
from maspo.reporting.results import Results
from maspo.reporting.study_data import StudyData
from maspo.reporting.suite import Suite


class Ruling(StrEnum):
    """What the data say about a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    INCONCLUSIVE = "inconclusive"
    NOT_TESTED = "not tested"


# Of each unit of an effect: what readers see it times, its decimals, its name.
SHOWN = {
    "fraction": (100, 1, "points"),
    "share": (1, 2, "of the runs"),
    "nats": (1, 4, "nats"),
    "steps": (1, 1, "steps"),
}


@dataclass(frozen=True)
class PartVerdict:
    """The ruling on one part of a claim, and the sentence that gives its reason."""

    part: Part
    ruling: Ruling
    reasoning: str
    study: str
    effect: Effect | None = None
    command: str | None = None  # that would test what was not


@dataclass(frozen=True)
class ClaimVerdict:
    """The ruling on a claim: supported if every part is."""

    claim: Claim
    parts: tuple[PartVerdict, ...]

    @property
    def ruling(self) -> Ruling:
        """Contradicted by any part; else not tested or inconclusive if any part is."""
        rulings = [part.ruling for part in self.parts]
        order = (Ruling.CONTRADICTED, Ruling.NOT_TESTED, Ruling.INCONCLUSIVE)
        return next((ruling for ruling in order if ruling in rulings), Ruling.SUPPORTED)


def judge_claims(suite: Suite, claims: Sequence[Claim]) -> list[ClaimVerdict]:
    """Return the verdicts on all claims, in the order of the file."""
    return [
        ClaimVerdict(claim, tuple(judge_part(suite, part) for part in claim.parts))
        for claim in claims
    ]


def judge_part(suite: Suite, part: Part) -> PartVerdict:
    """Return the verdict on one part; a part without its runs is not tested."""
    found = find_study(suite, part)
    if isinstance(found, str):
        how = command(suite, part)
        return PartVerdict(part, Ruling.NOT_TESTED, found, part.studies[0], command=how)
    effect = part.statistic.effect(found)
    ruling = judge(effect, part.above, part.below)
    return PartVerdict(part, ruling, reason(effect, ruling, part), found.study.name, effect)


def find_study(suite: Suite, part: Part) -> StudyData | str:
    """Return the data of a part's study, or why there are none."""
    if part.scale not in (None, suite.scale):
        return (
            f"Scale {suite.scale} trains one policy; this needs the runs of scale {part.scale} "
            f"in {part.results}."
        )
    if part.results:
        experiment = suite.experiment
        study = load_study(part.studies[0], experiment.seeds, experiment)
        data = StudyData(Results(Layout(Path(part.results))), study, suite.analysis)
        if any(not data.results.records_file(*run).is_file() for run in data.runs):
            return f"{part.results} does not hold all runs of the study {study.name}."
        return data
    return suite.study(part.studies) or (
        f"The suite {suite.experiment.suite} of scale {suite.scale} has no study "
        f"{' or '.join(part.studies)}."
    )


def command(suite: Suite, part: Part) -> str:
    """Return what to run to have a part tested."""
    if part.command:
        return part.command
    full = next((name for name in part.studies if name in suite.experiment.full), None)
    if full:
        return f"snakemake --cores all full --config scale={suite.scale}"
    return f"snakemake --cores all --config scale={suite.scale} studies={part.studies[0]}"


def judge(effect: Effect, above: float | None, below: float | None) -> Ruling:
    """Return the ruling on an effect that the claim wants above or below a bound.

    With one seed nothing is known of how runs vary, so whatever the interval, it decides nothing.
    """
    if effect.seeds < 2 or not (math.isfinite(effect.low) and math.isfinite(effect.high)):
        return Ruling.INCONCLUSIVE
    over, under = (
        (Ruling.SUPPORTED, Ruling.CONTRADICTED)
        if above is not None
        else (Ruling.CONTRADICTED, Ruling.SUPPORTED)
    )
    bound = above if above is not None else below
    if effect.low > bound:
        return over
    return under if effect.high < bound else Ruling.INCONCLUSIVE


def reason(effect: Effect, ruling: Ruling, part: Part) -> str:
    """Return the numbers and what follows from them, in one sentence each."""
    bound = part.above if part.above is not None else part.below
    bound = f"{100 * bound if effect.unit == 'fraction' else bound:g}"
    side = "above" if part.above is not None else "below"
    opposite = "below" if side == "above" else "above"
    verdict = {
        Ruling.SUPPORTED: f"the whole interval lies {side} {bound}, as the claim says",
        Ruling.CONTRADICTED: f"the whole interval lies {opposite} {bound}, against the claim",
        Ruling.INCONCLUSIVE: f"the interval holds {bound}, so these runs do not decide it",
    }[ruling]
    if effect.seeds < 2:
        verdict = "one seed cannot show how runs vary, so it decides nothing"
    seeds = f"{effect.seeds} seed{'s' if effect.seeds > 1 else ''}"
    start = effect.what[0].upper() + effect.what[1:]
    return f"{start}: {effect_text(effect)} over {seeds}; {verdict}."


def effect_text(effect: Effect) -> str:
    """Return an effect with its interval and unit."""
    factor, digits, unit = SHOWN[effect.unit]
    values = (effect.value, effect.low, effect.high)
    return f"{interval(*(fixed(factor * x, digits, sign=True) for x in values))} {unit}"
