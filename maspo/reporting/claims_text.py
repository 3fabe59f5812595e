"""The judged claims as JSON (`workflow/schemas/claims.schema.json`), Markdown and LaTeX."""

import math
from collections.abc import Sequence
from typing import Any

from maspo.inert import code, in_markdown
from maspo.reporting.claims import JudgedClaim, JudgedPart, Ruling, amount, effect_text
from maspo.reporting.collapse import collapses, definition
from maspo.reporting.format import NOTHING, fixed, latex, markdown
from maspo.reporting.labels import label
from maspo.reporting.ruling import POWER
from maspo.reporting.suite import Suite

KIND_TITLES = {
    "claim": "Claims of the paper",
    "check": "Checks of this project",
    "question": "Questions beyond the paper",
}
HEADER = ["Claim", "Verdict", "Effect [interval]", "Detectable", "p", "Seeds", "Study"]


def claims_json(suite: Suite, judged_claims: Sequence[JudgedClaim]) -> dict[str, Any]:
    """Return the judged claims, and every collapsed run, as plain containers without NaN."""
    fell = collapses(suite)
    return {
        "scale": suite.scale,
        "suite": suite.experiment.suite,
        "statistics": {
            "level": suite.analysis.statistics.level,
            "draws": suite.analysis.statistics.draws,
            "seed": suite.analysis.statistics.seed,
        },
        "claims": [
            {
                "id": judged.claim.id,
                "kind": judged.claim.kind,
                "statement": judged.claim.statement,
                "source": judged.claim.source,
                "verdict": judged.ruling.value,
                "parts": [_part(part) for part in judged.parts],
            }
            for judged in judged_claims
        ],
        "collapse": {
            "definition": definition(suite.analysis.collapse),
            "runs": len(fell),
            "collapsed": [
                {"variant": variant, "seed": seed} for (variant, seed), fall in fell.items() if fall
            ],
        },
    }


def _part(judged: JudgedPart) -> dict[str, Any]:
    part, effect = judged.part, judged.effect
    return {
        "study": judged.study,
        "statistic": part.name,
        "arguments": part.arguments,
        "above": part.above,
        "below": part.below,
        "margin": part.margin,
        "verdict": judged.ruling.value,
        "effect": effect and _number(effect.value),
        "low": effect and _number(effect.low),
        "high": effect and _number(effect.high),
        "unit": effect and effect.unit,
        "detectable": judged.detectable,
        "p": effect and effect.p and _number(effect.p),
        "seeds": effect and effect.seeds,
        "reasoning": judged.reasoning,
        "command": judged.command,
    }


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def claims_markdown(suite: Suite, judged_claims: Sequence[JudgedClaim]) -> str:
    """Return the judged claims as tables, with the reasons, sources and commands below them."""
    texts = []
    for kind, title in KIND_TITLES.items():
        chosen = [judged for judged in judged_claims if judged.claim.kind == kind]
        if chosen:
            rows = [row for judged in chosen for row in _rows(judged)]
            texts += [f"### {title}\n", markdown(HEADER, rows, left=len(HEADER))]
            texts += [_details(judged) for judged in chosen]
    statistics = suite.analysis.statistics
    texts.append(
        f"Scale {suite.scale}, suite {suite.experiment.suite}; {100 * statistics.level:g} % "
        "intervals. An effect without an interval comes from one seed. Detectable is the true "
        "distance from the bound that a study of this size finds with a chance of "
        f"{100 * POWER:g} %. docs/claims.md defines every statistic.\n"
    )
    fell = collapses(suite)
    fallen = [f"{label(v)} (seed {seed})" for (v, seed), fall in fell.items() if fall]
    names = f": {in_markdown(', '.join(fallen))}" if fallen else ""
    texts += ["### Collapse\n", definition(suite.analysis.collapse) + "\n"]
    texts.append(f"{len(fallen)} of the {len(fell)} runs of this suite collapsed{names}.\n")
    return "\n".join(texts)


def claims_latex(judged_claims: Sequence[JudgedClaim]) -> str:
    """Return the judged claims as a LaTeX table; the statements wrap in a column of 5 cm."""
    rows = [row for judged in judged_claims for row in _rows(judged)]
    return latex(HEADER, rows, columns=r"p{5cm}lrrrrl")


def _rows(judged: JudgedClaim) -> list[list[str]]:
    """Return one row, or with several parts one for the claim and one for each part."""
    many = len(judged.parts) > 1
    whole = [judged.claim.statement, judged.ruling.value]
    rows = [whole + [""] * (len(HEADER) - len(whole))] if many else []
    for number, part in enumerate(judged.parts, start=1):
        name = f"part {number}: {part.part.name.replace('_', ' ')}" if many else None
        effect = part.effect
        cells = [NOTHING] * 4
        if effect:
            least = NOTHING if part.detectable is None else amount(part.detectable, effect.unit)
            p = NOTHING if effect.p is None else fixed(effect.p, 4)
            cells = [effect_text(effect), least, p, str(effect.seeds)]
        rows.append([name or judged.claim.statement, part.ruling.value, *cells, part.study])
    return rows


def _details(judged: JudgedClaim) -> str:
    statement, source = in_markdown(judged.claim.statement), in_markdown(judged.claim.source)
    lines = [f"**{statement}**: {judged.ruling.value}. ({source})\n"]
    for part in judged.parts:
        aim = "test" if part.ruling is Ruling.NOT_TESTED else "decide"
        how = f" To {aim} it: {code(part.command)}" if part.command else ""
        lines.append(f"- {in_markdown(part.study)}: {in_markdown(part.reasoning)}{how}")
    return "\n".join(lines) + "\n"
