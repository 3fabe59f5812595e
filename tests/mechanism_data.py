"""Fabricated tables of ratios, of policies on the way and of facts, for the figures."""

from itertools import pairwise

import numpy as np
import pandas as pd

RATIOS = (0.0, 0.1, 0.5, 0.8, 0.9, 0.99, 1.01, 1.1, 1.2, 1.28, 1.5, 2.0, 4.0, 10.0, 100.0, 1e9)
SHARES = (0, 2e-4, 2e-3, 4e-3, 0.03, 0.92, 0.03, 6e-3, 3e-3, 2e-3, 1.5e-3, 8e-4, 3e-4, 2e-4, 0)
BINS = {  # of the base's accuracy: facts, the base's accuracy and the trained one
    "no attempt": (0, np.nan, np.nan),
    "never right": (12, 0.0, 0.15),
    "below 10 %": (24, 0.05, 0.65),
    "10 to 50 %": (60, 0.3, 0.92),
    "50 to 90 %": (83, 0.73, 0.96),
    "90 % and above": (38, 0.95, 0.98),
    "attempted": (217, 0.53, 0.87),
}


def ratio_use(labels):
    """Return a table of weights that fall beyond 1.2, the faster the later the variant."""
    rows = []
    for i, (variant, label) in enumerate(labels.items()):
        for (low, high), share in zip(pairwise(RATIOS), SHARES, strict=True):
            weight = 1.0 if high <= 1.2 else float(np.exp(-(low - 1.1) * (i + 1)))
            row = {"variant": variant, "label": label, "bin_low": low, "bin_high": high}
            row["tokens"] = round(1e6 * share)
            if not share:
                weight = np.nan
            row |= interval("nonzero_fraction", 1 - 0.01 * i, 0.005, prefix="nonzero")
            row |= interval("mean_weight", weight, 0.02, prefix="weight")
            rows.append(row | interval("share", share, 0.1 * share))
    return pd.DataFrame(rows)


def ratio_moves(labels, steps=(5, 15)):
    """Return a table in which half of the tokens beyond 1.2 come back with the first variant."""
    rows = []
    for i, (variant, label) in enumerate(labels.items()):
        for step in steps:
            for (low, high), share in zip(pairwise(RATIOS), SHARES, strict=True):
                tokens = round(1e4 * share)
                row = {"variant": variant, "label": label, "step": step}
                row |= {"bin_low": low, "bin_high": high, "tokens": tokens}
                back = 0.5 / (1 + i) if low >= 1.2 else 0.1
                ways = {"further": 0.2, "same": 0.7 - back, "nearer": 0.1, "back": back}
                ways["beyond"] = 1 - back if low >= 1.2 else 0.02 * (i + 1)
                for way, value in ways.items():
                    row |= interval(way, value if tokens else np.nan, 0.05)
                rows.append(row | interval("share", share, 0.1 * share))
    return pd.DataFrame(rows)


def snapshots(labels, steps=(0, 5, 15, 30, 60)):
    """Return a table of rising Avg@n, falling Pass@n and entropy, from one base policy."""
    rows = []
    for i, (variant, label) in enumerate(labels.items()):
        for step in steps:
            done = (step / steps[-1]) ** 0.6
            row = {"variant": variant, "label": label, "step": step, "seeds": 3}
            row |= {"problems": 60, "samples": 32}
            row |= interval("entropy", 0.4 - (0.3 - 0.01 * i) * done, 0.01)
            row |= interval("avg_at_k", 0.22 + (0.15 + 0.005 * i) * done, 0.06)
            row |= interval("pass_at_k", 0.77 - (0.07 - 0.004 * i) * done, 0.07)
            rows.append(row | interval("best_at_k", 0.7 - 0.05 * done, 0.07))
    return pd.DataFrame(rows)


def facts(labels):
    """Return a table in which training gains shown facts and loses those that are held out."""
    rows = []
    for i, (variant, label) in enumerate(labels.items()):
        for held_out in (0, 1):
            for name, (count, base, trained) in BINS.items():
                trained = base - 0.1 * base if held_out else trained - 0.01 * i
                row = {"variant": variant, "label": label, "held_out": held_out}
                row |= {"base_bin": name, "seeds": 3}
                turns = {"gained": 6 + i, "lost": 17} if held_out else {"gained": 77 - i, "lost": 1}
                turns |= {"found": 0.5 * held_out + 3, "vanished": 2 + 0.5 * i, "unmet": 0}
                for column, value in {"facts": count, **turns}.items():
                    row |= interval(column, value, 0.5)
                row |= interval("base_accuracy", base, 0.01)
                rows.append(row | interval("trained_accuracy", trained, 0.02))
    return pd.DataFrame(rows)


def interval(name, value, half, prefix=None):
    """Return a value and its bounds as the columns of a row."""
    prefix = prefix or name
    low, high = value - half, value + half
    return {name: value, f"{prefix}_low": max(low, 0), f"{prefix}_high": high}
