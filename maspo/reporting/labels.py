"""What readers see in place of a variant's name."""

import re
from typing import NamedTuple

from maspo.layout import BASE_VARIANT

LABELS = {
    BASE_VARIANT: "Base policy",
    "grpo": "GRPO",
    "clip_higher": "Clip Higher",
    "dac": "DAC",
    "entropy_adv": "Entropy Adv.",
    "bapo": "BAPO",
    "sapo": "SAPO",
    "sapo_unilateral": "SAPO (unilateral)",
    "cispo": "CISPO",
    "gspo": "GSPO",
    "dgpo": "DGPO",
    "dr_grpo": "Dr. GRPO",
    "maspo": "MASPO",
    "maspo_no_mass": "MASPO without mass",
    "maspo_no_risk": "MASPO without risk",
    "gaussian_only": "Gaussian gate alone",
    "maspo_bilateral": "MASPO (bilateral)",
    "maspo_paper": "MASPO (no clamps)",
    "maspo_attached_gate": "MASPO (attached gate)",
}
SETTING = re.compile(r"(?P<field>[a-z_]+)_(?P<value>[^_]+)")


class Parts(NamedTuple):
    """A variant's name taken apart; `settings` are (field, value) as written in it."""

    objective: str
    settings: tuple[tuple[str, str], ...]


def parts(variant: str) -> Parts:
    """Return the objective and the changed settings of ``<objective>[_<field>_<value>][@...]``.

    Only names are read, so a name that no configuration knows is one objective as a whole.
    """
    objective, *behind = variant.split("@")
    pieces = list(behind)
    for known in sorted(LABELS, key=len, reverse=True):
        if objective.startswith(f"{known}_") and objective not in LABELS:
            pieces.insert(0, objective.removeprefix(f"{known}_"))
            objective = known
            break
    matches = [SETTING.fullmatch(piece) for piece in pieces]
    if not all(matches):
        return Parts(variant, ())
    return Parts(objective, tuple((match["field"], match["value"]) for match in matches))


def label(variant: str) -> str:
    """Return a readable name: ``maspo_alpha_0.5`` is "MASPO, alpha 0.5"."""
    objective, settings = parts(variant)
    name = LABELS.get(objective, objective.replace("_", " "))
    return ", ".join([name, *(_phrase(field, value) for field, value in settings)])


def _phrase(field: str, value: str) -> str:
    if field == "reward":
        return f"{value} reward"
    if field == "updates_per_batch":
        return f"{value} update{'' if value == '1' else 's'} a batch"
    return f"{field.replace('_', ' ')} {value}"
