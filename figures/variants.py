"""The numbers that the names of variants carry."""

import re

# maspo itself, and the ablations that a sensitivity study begins with.
NAMED = {
    "alpha": {"maspo": 0.3, "maspo_no_mass": 0.0},
    "beta": {"maspo": 0.03, "maspo_no_risk": 0.0},
}


def value_of(variant: str, factor: str) -> float | None:
    """Return a variant's `alpha` or `beta`: ``maspo_alpha_0.5`` has 0.5; None if it names none."""
    if variant in NAMED[factor]:
        return NAMED[factor][variant]
    match = re.fullmatch(rf"maspo_{factor}_([0-9.e+-]+)", variant)
    return float(match[1]) if match else None
