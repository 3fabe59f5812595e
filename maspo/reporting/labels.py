"""What readers see in place of a variant's name."""

from collections.abc import Mapping
from types import MappingProxyType

from maspo.config import CHANGE, split_variant
from maspo.layout import BASE_VARIANT

LABELS = {
    BASE_VARIANT: "Base policy",
    "grpo": "GRPO",
    "grpo_searched": "GRPO, searched",
    "clip_higher": "Clip Higher",
    "clip_higher_falling": "Clip Higher, falling",
    "clip_higher_steered": "Clip Higher, steered",
    "dac": "DAC",
    "entropy_adv": "Entropy Adv.",
    "bapo": "BAPO",
    "sapo": "SAPO",
    "sapo_searched": "SAPO, searched",
    "sapo_unilateral": "SAPO (unilateral)",
    "cispo": "CISPO",
    "gspo": "GSPO",
    "dgpo": "DGPO",
    "dr_grpo": "Dr. GRPO",
    "maspo": "MASPO",
    "maspo_searched": "MASPO, searched",
    "maspo_no_mass": "MASPO without mass",
    "maspo_no_risk": "MASPO without risk",
    "gaussian_only": "Gaussian gate alone",
    "maspo_bilateral": "MASPO (bilateral)",
    "maspo_paper": "MASPO (no clamps)",
    "maspo_attached_gate": "MASPO (attached gate)",
    "gate": "Gaussian gate",
    "gate_searched": "Gaussian gate, searched",
}


def label(variant: str, unnamed: Mapping[str, str] = MappingProxyType({})) -> str:
    """Return a readable name: ``maspo_alpha_0.5@lr_0.0001`` is "MASPO, alpha 0.5, lr 1e-4".

    Only names are read, so an objective without a label is shown under its own name. `unnamed`
    holds conditions of training that are said even where the name leaves them out, since other
    variants of the same study differ in them; a base policy has none.
    """
    objective, conditions = split_variant(variant)
    if objective != BASE_VARIANT:
        conditions = dict(sorted({**unnamed, **conditions}.items()))
    settings = list(conditions.items())
    for known in sorted(LABELS, key=len, reverse=True):
        changed = CHANGE.fullmatch(objective.removeprefix(f"{known}_"))
        if objective not in LABELS and objective.startswith(f"{known}_") and changed:
            settings.insert(0, (changed["field"], changed["value"]))
            objective = known
    name = LABELS.get(objective, objective.replace("_", " "))
    return ", ".join([name, *(_phrase(field, value) for field, value in settings)])


def _phrase(field: str, value: str) -> str:
    worded = {
        "reward": "partial credit" if value == "steps" else f"{value} reward",
        "lr_schedule": f"{value} rate",
        "problems": f"{value} facts",
        "normalize_std": "advantages over std" if value == "True" else "plain advantages",
    }
    if field in worded:
        return worded[field]
    if field == "updates_per_batch":
        return f"{value} update{'' if value == '1' else 's'} a batch"
    return f"{field.replace('_', ' ')} {number(value)}"


def number(value: str) -> str:
    """Return a number as people write it: 1e-05 and 0.0001 as 1e-5 and 1e-4; words as they are."""
    try:
        small = 0 < float(value) < 1e-3
    except ValueError:
        return value
    return f"{float(value):.1e}".replace(".0e", "e").replace("e-0", "e-") if small else value
