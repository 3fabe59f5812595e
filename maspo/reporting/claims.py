"""Rulings on the claims of `configs/claims.yaml`: from intervals, never from point estimates."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from maspo.config import load_study, workflow_command
from maspo.errors import ConfigError
from maspo.layout import Layout
from maspo.reporting.claim_statistics import Effect
from maspo.reporting.claims_file import QUESTION, Claim, Part
from maspo.reporting.claims_plan import MOST, seeds_to_decide
from maspo.reporting.format import fixed, interval
from maspo.reporting.results import Results
from maspo.reporting.ruling import ORDER, Ruling, detectable, judge, known, small
from maspo.reporting.study_data import StudyData
from maspo.reporting.suite import Suite

__all__ = ["JudgedClaim", "JudgedPart", "Ruling", "judge", "judge_claims"]


# Of each unit of an effect: what readers see it times, its decimals, its name.
SHOWN = {
    "fraction": (100, 1, "points"),
    "share": (1, 2, "of the runs"),
    "nats": (1, 4, "nats"),
    "steps": (1, 1, "steps"),
}


@dataclass(frozen=True)
class JudgedPart:
    """The ruling on one part of a claim, and the sentence that gives its reason."""

    part: Part
    ruling: Ruling
    reasoning: str
    study: str
    effect: Effect | None = None
    detectable: float | None = None  # `maspo.reporting.ruling.detectable`
    command: str | None = None  # that would test or decide what was not


@dataclass(frozen=True)
class JudgedClaim:
    """The ruling on a claim: supported if every part is."""

    claim: Claim
    parts: tuple[JudgedPart, ...]

    @property
    def ruling(self) -> Ruling:
        """Contradicted by any part; else not tested, inconclusive, negligible if any part is."""
        rulings = [part.ruling for part in self.parts]
        return next((ruling for ruling in ORDER if ruling in rulings), Ruling.SUPPORTED)


def judge_claims(suite: Suite, claims: Sequence[Claim]) -> list[JudgedClaim]:
    """Return the rulings on all claims that concern a suite, in the order of the file.

    A question beyond the paper concerns the suites that have its studies.
    """
    return [
        JudgedClaim(claim, tuple(judge_part(suite, part) for part in claim.parts))
        for claim in claims
        if claim.kind != QUESTION or all(suite.study(part.studies) for part in claim.parts)
    ]


def judge_part(suite: Suite, part: Part) -> JudgedPart:
    """Return the ruling on one part; a part without its runs is not tested."""
    found = find_study(suite, part)
    if isinstance(found, str):
        how = command(suite, part)
        return JudgedPart(part, Ruling.NOT_TESTED, found, part.studies[0], command=how)
    effect = part.statistic.effect(found)
    ruling = judge(effect, part.above, part.below, part.margin)
    seeds = how = None
    if ruling is Ruling.INCONCLUSIVE:
        seeds = seeds_to_decide(found, part, effect)
        how = seeds and more_seeds(suite, part, found.study.name, seeds)
    return JudgedPart(
        part,
        ruling,
        reason(effect, ruling, part, seeds),
        found.study.name,
        effect,
        detectable(effect, part.bound, suite.analysis.statistics.level),
        how,
    )


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
    experiment = suite.experiment
    if any(name in experiment.full for name in part.studies):
        return workflow_command(experiment, "full", {}, suite.changes)
    study = part.studies[0]
    try:
        load_study(study, 1, experiment)
    except ConfigError:  # made for another policy
        return f"snakemake --cores all --config studies={study}"
    return workflow_command(experiment, "default", {"studies": [study]}, _but_full(suite))


def more_seeds(suite: Suite, part: Part, study: str, seeds: int) -> str:
    """Return what to run to have a study's methods trained with so many seeds."""
    experiment = suite.experiment
    if part.command:
        return f"{part.command} studies={study} seeds={seeds}"
    if experiment.suite == "full":
        more = f"full.{study}={seeds}"
        return workflow_command(experiment, "full", {}, [*suite.changes, more])
    keys = {"studies": [study], "seeds": seeds}
    return workflow_command(experiment, "default", keys, _but_full(suite))


def _but_full(suite: Suite) -> list[str]:
    return [override for override in suite.changes if not override.startswith("full=")]


def reason(effect: Effect, ruling: Ruling, part: Part, seeds: int | None = None) -> str:
    """Return the numbers and what follows from them, in one sentence each.

    `seeds` of each method would decide what is inconclusive.
    """
    bound = f"{100 * part.bound if effect.unit == 'fraction' else part.bound:g}"
    side = "above" if part.above is not None else "below"
    opposite = "below" if side == "above" else "above"
    margin = part.margin and amount(part.margin, effect.unit)
    says = {
        Ruling.SUPPORTED: f"the whole interval lies {side} {bound}, as the claim says",
        Ruling.CONTRADICTED: f"the whole interval lies {opposite} {bound}, against the claim",
        Ruling.NEGLIGIBLE: f"the interval holds {bound} and lies within {margin} of it, so the "
        "difference is too small to matter",
        Ruling.INCONCLUSIVE: f"the interval holds {bound}, so these runs do not decide it; "
        + (
            f"{seeds} seeds of each method would, if the effect stays and runs vary as they did"
            if seeds
            else f"as the effect stands and runs vary, not even {MOST} seeds of each method would"
        ),
    }[ruling]
    if ruling in (Ruling.SUPPORTED, Ruling.CONTRADICTED) and small(effect, part.bound, part.margin):
        says += f"; yet the effect is smaller than the margin of {margin}"
    if effect.seeds < 2:
        says = (
            "one seed cannot show how runs vary, so it decides nothing; how many would is seen "
            "from two on"
        )
    elif not known(effect):
        says = "it has no interval, so these runs do not decide it, and no number of seeds can"
    count = f"{effect.seeds} seed{'s' if effect.seeds > 1 else ''}"
    start = effect.what[0].upper() + effect.what[1:]
    return f"{start}: {effect_text(effect)} over {count}; {says}."


def effect_text(effect: Effect) -> str:
    """Return an effect with its interval and unit."""
    factor, digits, unit = SHOWN[effect.unit]
    values = (effect.value, effect.low, effect.high)
    return f"{interval(*(fixed(factor * x, digits, sign=True) for x in values))} {unit}"


def amount(value: float, unit: str) -> str:
    """Return a positive number of a unit as readers see it."""
    factor, digits, name = SHOWN[unit]
    return f"{fixed(factor * value, digits)} {name}"
