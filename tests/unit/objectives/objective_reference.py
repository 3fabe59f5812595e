"""The surrogates once more, in scalar NumPy from their equations, with analytic derivatives.

Nothing here is shared with the package: each function takes the numbers of one token and returns
the surrogate and its derivative with respect to rho. `evaluate` puts them together.
"""

import math

import numpy as np

DEFAULTS = {
    "grpo": {"clip_low": 0.2, "clip_high": 0.2, "dual_clip": 3.0},
    "clip_higher": {"clip_low": 0.2, "clip_high": 0.28, "dual_clip": 3.0},
    "dr_grpo": {"clip_low": 0.2, "clip_high": 0.2, "dual_clip": None, "max_tokens": 3000},
    "dac": {"clip_low": 0.16, "clip_high": 0.2, "ratio_max": 10.0, "dual_clip": 3.0},
    "bapo": {"target": 1.0, "low": (0.6, 0.9), "high": (1.2, 3.0), "step": 0.05, "dual_clip": 3.0},
    "sapo": {"tau_pos": 1.0, "tau_neg": 1.05},
    "sapo_unilateral": {"tau_pos": 1.0, "tau_neg": 1.05},
    "entropy_adv": {
        "alpha": 0.4,
        "kappa": 2.0,
        "clip_low": 0.2,
        "clip_high": 0.2,
        "dual_clip": 3.0,
    },
    "maspo": {
        "sigma_base": 1.0,
        "alpha": 0.3,
        "beta_high": 0.03,
        "beta_low": 0.03,
        "sigma_max": 10.0,
        "risk_min": 0.1,
        "risk_max": 10.0,
        "bilateral": False,
        "attached_gate": False,
    },
    "dgpo": {"clip_low": 0.2, "clip_high": 0.2, "n": 1, "m": 2},
    "cispo": {"clip_low": None, "clip_high": 4.0},
    "gspo": {"clip_low": 3e-4, "clip_high": 4e-4},
}
DEFAULTS["gate"] = DEFAULTS["maspo"] | {"distance": "ratio"}
SEQUENCE_MEAN = ("sapo", "sapo_unilateral", "gspo")


def clipped(rho, adv, low, high, dual):
    plain, held = rho * adv, min(max(rho, low), high) * adv
    value, slope = (plain, adv) if plain <= held else (held, 0.0)
    if dual is not None and adv < 0 and value < dual * adv:
        value, slope = dual * adv, 0.0
    return value, slope


def grpo(rho, adv, p, entropy, s):
    return clipped(rho, adv, 1 - s["clip_low"], 1 + s["clip_high"], s["dual_clip"])


def entropy_adv(rho, adv, p, entropy, s):
    return grpo(rho, adv + min(s["alpha"] * entropy, abs(adv) / s["kappa"]), p, entropy, s)


def dac(rho, adv, p, entropy, s):
    low = 0.5 + 0.5 * math.sqrt(max(1 - 4 * s["clip_low"] / p, 0.0))
    high = min(0.5 + 0.5 * math.sqrt(1 + 4 * s["clip_high"] / p), s["ratio_max"])
    return clipped(rho, adv, low, high, s["dual_clip"])


def sapo(rho, adv, p, entropy, s):
    tau = s["tau_pos"] if adv > 0 else s["tau_neg"]
    x = tau * (rho - 1)
    sigmoid = 1 / (1 + math.exp(-x)) if x > -700 else 0.0
    slope = 4 * math.exp(-abs(x)) / (1 + math.exp(-abs(x))) ** 2
    return 4 / tau * sigmoid * adv, slope * adv


def too_far(rho, adv):
    return (adv > 0 and rho > 1) or (adv < 0 and rho < 1)


def sapo_unilateral(rho, adv, p, entropy, s):
    return sapo(rho, adv, p, entropy, s) if too_far(rho, adv) else (rho * adv, adv)


def sigma(adv, p, s):
    def limit(value, low, high):
        low, high = 0.0 if low is None else low, math.inf if high is None else high
        return min(max(value, low), high)

    mass = limit(s["sigma_base"] / p ** s["alpha"], None, s["sigma_max"])
    risk = 1 + s["beta_high"] * adv if adv > 0 else 1 / (1 - s["beta_low"] * adv)
    return mass * limit(risk, s["risk_min"], s["risk_max"])


def maspo(rho, adv, p, entropy, s):
    if adv == 0 or not (s["bilateral"] or too_far(rho, adv)):
        return rho * adv, adv
    width = sigma(adv, p, s)
    gate = math.exp(-((rho - 1) ** 2) / (2 * width**2))
    slope = gate
    if s["attached_gate"]:
        slope += rho * gate * -(rho - 1) / width**2
    return gate * rho * adv, slope * adv


def gate(rho, adv, p, entropy, s):
    if s["distance"] == "ratio":
        return maspo(rho, adv, p, entropy, s)
    if adv == 0 or not (s["bilateral"] or too_far(rho, adv)):
        return rho * adv, adv
    divergence = math.expm1(math.log(rho)) - math.log(rho)
    squared = {"tv": (p * rho - p) ** 2, "kl": 2 * max(divergence, 0.0)}[s["distance"]]
    weight = math.exp(-squared / (2 * sigma(adv, p, s) ** 2))
    return weight * rho * adv, weight * adv


def dgpo(rho, adv, p, entropy, s):
    low, high = 1 - s["clip_low"], 1 + s["clip_high"]
    factor = 1.0
    if adv < 0 and rho < low:
        factor = (rho / low) ** s["n"]
    if adv > 0 and rho > high:
        factor = (high / rho) ** (1 / s["m"])
    return factor * rho * adv, factor * adv


def bapo_bounds(rho, adv, mask, s):
    """The search, one step after the other as in the released code."""
    (low, low_end), (high, high_end) = s["low"], s["high"]
    tokens = [(r, a) for r, a, m in zip(rho.flat, adv.flat, mask.flat, strict=True) if m]

    def met():
        gained = sum(min(r, high) * a for r, a in tokens if a > 0)
        lost = sum(max(r, low) * -a for r, a in tokens if a < 0)
        return lost <= 0 or gained / lost >= s["target"]

    while not met() and low < low_end - 1e-9:
        low = min(low + s["step"], low_end)
    while not met() and high < high_end - 1e-9:
        high = min(high + s["step"], high_end)
    return low, high


TOKEN = {
    "grpo": grpo,
    "clip_higher": grpo,
    "dr_grpo": grpo,
    "dac": dac,
    "sapo": sapo,
    "sapo_unilateral": sapo_unilateral,
    "entropy_adv": entropy_adv,
    "maspo": maspo,
    "gate": gate,
    "dgpo": dgpo,
}


def coefficients(mask, aggregation):
    """How much each token's surrogate counts in the scalar, (B, T)."""
    mask = mask.astype(float)
    lengths = mask.sum(1, keepdims=True)
    sequences = max((lengths > 0).sum(), 1)
    if aggregation == "token_mean":
        return mask / max(mask.sum(), 1)
    if aggregation == "seq_mean_token_mean":
        return mask / np.maximum(lengths, 1) / sequences
    if aggregation == "seq_mean_token_sum":
        return mask / sequences
    raise KeyError(aggregation)


def evaluate(method, log_prob, old, adv, mask, entropy, aggregation=None, **changed):
    """Return loss, gradient with respect to log_prob (B, T), and weight (B, T)."""
    s = DEFAULTS[method] | changed
    default = "seq_mean_token_mean" if method in SEQUENCE_MEAN else "token_mean"
    default = "seq_mean_token_sum" if method == "dr_grpo" else default
    share = coefficients(mask, aggregation or default) / s.get("max_tokens", 1)
    difference = np.where(mask, log_prob - old, 0.0)
    inside = np.abs(difference) < 20
    rho = np.exp(np.clip(difference, -20, 20))
    bounds = bapo_bounds(rho, adv, mask, s) if method == "bapo" else None
    value, slope, scale = np.zeros_like(rho), np.zeros_like(rho), rho * inside
    for row, column in zip(*np.nonzero(mask), strict=True):
        r, a = rho[row, column], adv[row, column]
        if method == "bapo":
            result = clipped(r, a, *bounds, s["dual_clip"])
        elif method == "cispo":
            low = 0.0 if s["clip_low"] is None else 1 - s["clip_low"]
            kept = min(max(r, low), 1 + s["clip_high"])
            scale[row, column] = r  # its gradient does not pass the ratio
            result = kept * a * log_prob[row, column], kept * a / r
        elif method == "gspo":
            valid = mask[row].astype(bool)
            whole = math.exp(np.clip(difference[row], -20, 20)[valid].mean())
            scale[row, column] = whole * inside[row, column]
            result = clipped(whole, a, 1 - s["clip_low"], 1 + s["clip_high"], None)
        else:
            p, h = math.exp(old[row, column]), entropy[row, column]
            result = TOKEN[method](r, a, p, h, s)
        value[row, column], slope[row, column] = result
    weight = np.where(mask, np.divide(slope, adv, out=np.ones_like(adv), where=adv != 0), 0.0)
    return -(share * value).sum(), -(share * slope * scale), weight
