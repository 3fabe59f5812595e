"""Fabricated result files of a suite, in the shape that the reporting steps write.

    python tests/figures_data.py DIR [alike|collapse]

Two stories: all methods end within 0.3 points of each other, or one collapses halfway.
"""

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from mechanism_data import facts, ratio_moves, ratio_use, snapshots

BENCHMARKS = {"terms2": 12, "terms3": 7, "terms4": 2, "terms5": -3, "terms6": -7, "terms7": -11}
STEPS, SAMPLES, SEEDS = 100, 32, 3
KS = (1, 2, 4, 8, 16, 32)
EDGES = (0.0, 0.001, 0.01, 0.03, 0.1, 0.3, 0.5, 0.7, 0.9, 0.97, 0.99, 0.999, 1.0)
SCORES = ("avg_at_k", "pass_at_k", "best_at_k")
RATES = ("1e-5", "3e-5", "1e-4")
STUDIES = {
    "main": {
        "grpo": "GRPO",
        "clip_higher": "Clip Higher",
        "dac": "DAC",
        "entropy_adv": "Entropy Adv.",
        "bapo": "BAPO",
        "sapo": "SAPO",
        "maspo": "MASPO",
    },
    "alpha": {
        "maspo_no_mass": "MASPO without mass",
        "maspo_alpha_0.1": "MASPO, alpha 0.1",
        "maspo": "MASPO",
        "maspo_alpha_0.5": "MASPO, alpha 0.5",
        "maspo_alpha_0.8": "MASPO, alpha 0.8",
        "maspo_alpha_1.0": "MASPO, alpha 1.0",
    },
    "beta": {
        "maspo_no_risk": "MASPO without risk",
        "maspo_beta_0.01": "MASPO, beta 0.01",
        "maspo": "MASPO",
        "maspo_beta_0.1": "MASPO, beta 0.1",
        "maspo_beta_0.3": "MASPO, beta 0.3",
    },
    "ablation": {
        "maspo": "MASPO",
        "maspo_no_mass": "MASPO without mass",
        "maspo_no_risk": "MASPO without risk",
        "gaussian_only": "Gaussian gate alone",
        "maspo_bilateral": "MASPO (bilateral)",
        "maspo_attached_gate": "MASPO (attached gate)",
        "maspo_paper": "MASPO (no clamps)",
        "sapo": "SAPO",
        "sapo_unilateral": "SAPO (unilateral)",
    },
    "learning_rate": {
        f"{name}{at}": f"{label}{said}"
        for name, label in {"grpo": "GRPO", "sapo": "SAPO", "maspo": "MASPO"}.items()
        for at, said in (("@lr_1e-5", ", lr 1e-5"), ("", ""), ("@lr_1e-4", ", lr 1e-4"))
    },
}
# script: the study that it is drawn for in tests (None: the whole suite), and the files it reads
DRAWN = {
    "differences": ("main", ["_comparisons"]),
    "avg_at_k": ("main", ["", "_runs"]),
    "claims": (None, ["claims.json"]),
    "entropy_accuracy": ("main", ["", "_runs", "_dynamics"]),
    "facts": ("main", ["_facts"]),
    "gradient_use": ("main", ["_gradient_use"]),
    "pass_at_k": ("main", ["_at_k"]),
    "ratio_use": ("main", ["_ratio_use", "_ratio_moves"]),
    "sample_efficiency": ("main", ["_dynamics", "_efficiency"]),
    "sensitivity": ("alpha", ["", "_runs", "_dynamics"]),
    "stability": (None, ["tables/stability.csv"]),
    "training_dynamics": ("main", ["_dynamics"]),
    "training_path": ("main", ["_snapshots"]),
}
COLLAPSING = {"sapo", "maspo_alpha_1.0", "maspo_bilateral", "maspo@lr_1e-4", "maspo_beta_0.3"}
MARGINS = {"fraction": 0.01, "nats": 0.01, "steps": 3, "share": 0.1}
CLAIMS = [  # id, statement, parts of (study, statistic, unit, verdict, effect, low, high)
    (
        "above_grpo",
        "MASPO has a higher Avg@32 than GRPO",
        [("main", "difference", "fraction", "supported", 0.021, 0.006, 0.037)],
    ),
    (
        "best_of_table",
        "MASPO has the highest Avg@32 of all methods in the table",
        [("main", "best_inside", "fraction", "inconclusive", 0.002, -0.011, 0.014)],
    ),
    (
        "pass_at_32",
        "MASPO has a higher Pass@32 than GRPO (best@32, draws with replacement)",
        [("main", "difference", "fraction", "contradicted", -0.019, -0.032, -0.005)],
    ),
    (
        "components",
        "Each component of MASPO contributes to its Avg@32",
        [("ablation", "best_inside", "fraction", "negligible", -0.001, -0.006, 0.004)],
    ),
    (
        "final_entropy",
        "MASPO keeps a higher entropy than GRPO at the end of training",
        [("main", "final_log", "nats", "supported", 0.08, 0.05, 0.11)],
    ),
    (
        "unilateral_gate",
        "Unilateral gating prevents the collapse that is seen with bilateral SAPO",
        [("ablation", "collapse_rate", "share", "inconclusive", 0.67, -0.1, 1.0)],
    ),
    (
        "sample_efficiency",
        "MASPO learns from fewer samples than GRPO",
        [
            ("main", "area", "fraction", "supported", 0.012, 0.004, 0.02),
            ("main", "steps_saved", "steps", "inconclusive", 7.0, -2.0, 16.0),
        ],
    ),
    (
        "robust",
        "MASPO is robust across alpha and beta",
        [
            ("alpha", "largest_shift", "fraction", "supported", 0.008, 0.002, 0.016),
            ("beta", "largest_shift", "fraction", "contradicted", 0.45, 0.41, 0.49),
        ],
    ),
    (
        "model_sizes",
        "The gains over GRPO hold across model sizes",
        [("main", "difference", None, "not tested", None, None, None)],
    ),
]


def fabricate(folder: Path, story: str = "alike") -> Path:
    """Write every result file of a suite below `folder` and return its ``tables/``."""
    rng = np.random.default_rng(7)
    tables = folder / "tables"
    tables.mkdir(parents=True, exist_ok=True)
    for study, labels in STUDIES.items():
        gone = COLLAPSING if story == "collapse" else set()
        quality = {v: -0.3 * i / len(labels) for i, v in enumerate(reversed(labels))}
        quality |= {variant: -45.0 for variant in labels if variant in gone}
        _scores(tables, study, labels, quality, rng)
        _dynamics(tables, study, labels, gone, rng)
        _gradient_use(tables, study, labels, rng)
        for make in (ratio_use, ratio_moves, snapshots, facts):
            make(labels).to_csv(tables / f"{study}_{make.__name__}.csv", index=False)
    _stability(tables, story, rng)
    (folder / "claims.json").write_text(json.dumps({"claims": [_claim(*c) for c in CLAIMS]}))
    return tables


def _claim(name, statement, parts):
    keys = ("study", "statistic", "unit", "verdict", "effect", "low", "high")
    parts = [dict(zip(keys, part, strict=True)) for part in parts]
    for part in parts:
        shift = part["statistic"] == "largest_shift"
        part |= {"above": None if shift else 0.0, "below": 0.02 if shift else None}
        part["margin"] = None if shift else MARGINS.get(part["unit"])
    verdict = parts[0]["verdict"] if len(parts) == 1 else "inconclusive"
    return {"id": name, "statement": statement, "verdict": verdict, "parts": parts}


def _scores(tables, study, labels, quality, rng):
    runs, means, curves, pairs = [], [], [], []
    reference = "maspo" if study in ("alpha", "beta", "ablation") else "grpo"
    for variant, label in {"base": "Base policy", **labels}.items():
        level = 46.0 if variant == "base" else 80.0 + quality[variant]
        for benchmark, ease in {**BENCHMARKS, "average": 0}.items():
            avg = np.clip(level + ease, 2, 99) / 100
            seeds = [0] if variant == "base" else range(1, SEEDS + 1)
            for seed in seeds:
                score = np.clip(avg + rng.normal(0, 0.006), 0, 1)
                runs.append((variant, label, seed, benchmark, 40, SAMPLES, score))
            mean = np.mean([run[-1] for run in runs[-len(seeds) :]])
            high = 1 - 0.35 * (1 - mean), 1 - 0.42 * (1 - mean)
            row = [variant, label, len(seeds), benchmark]
            for value, half in zip((mean, *high), (0.012, 0.02, 0.02), strict=True):
                row += [value, max(0, value - half), min(1, value + half), 0.006]
            means.append(row)
            for k in KS:
                share = np.log2(k) / np.log2(SAMPLES)
                for metric, top in zip(("pass", "best"), high, strict=True):
                    value = mean + (top - mean) * share**0.7
                    bounds = max(0, value - 0.015), min(1, value + 0.015)
                    curves.append((variant, label, benchmark, metric, k, value, *bounds))
            for metric in ("avg", "pass"):
                if variant not in ("base", reference):
                    gap = (quality[variant] - quality[reference]) / 100 + rng.normal(0, 0.002)
                    names = (variant, reference, label, labels[reference])
                    p = float(abs(gap) < 0.1) * 0.6
                    numbers = (SAMPLES, gap, gap - 0.011, gap + 0.011, p, p)
                    pairs.append((*names, benchmark, metric, *numbers))
    columns = ["variant", "label", "seed", "benchmark", "problems", "samples", "avg_at_k"]
    _write(tables / f"{study}_runs.csv", columns, runs)
    scores = [score + end for score in SCORES for end in ("", "_low", "_high", "_std")]
    _write(tables / f"{study}.csv", ["variant", "label", "seeds", "benchmark", *scores], means)
    columns = ["variant", "label", "benchmark", "metric", "k", "value", "low", "high"]
    _write(tables / f"{study}_at_k.csv", columns, curves)
    columns = ["method", "reference", "method_label", "reference_label", "benchmark", "metric"]
    columns += ["k", "difference", "low", "high", "p", "p_holm"]
    _write(tables / f"{study}_comparisons.csv", columns, pairs)


def _dynamics(tables, study, labels, gone, rng):
    step = np.arange(1, STEPS + 1)
    rows, efficiency = [], []
    for i, (variant, label) in enumerate(labels.items()):
        reward = 0.45 + 0.36 * (1 - np.exp(-step / (28 - i)))
        entropy = 0.75 * np.exp(-step / (45 + 2 * i)) + 0.12
        if variant in gone:
            fall = 1 / (1 + np.exp((step - 55) / 5))
            reward, entropy = reward * fall + 0.03, entropy * fall + 2.6 * (1 - fall)
        metrics = {
            "reward": (reward, 0.012),
            "entropy": (entropy, 0.02),
            "completion_length": (19 + 2 * reward, 0.3),
            "gated_fraction": (0.02 + 0.01 * i + 0 * step, 0.003),
            "gradient_norm": (0.3 + 0.05 * i + entropy / 3, 0.04),
            "weight_mean": (1 - 0.01 * i + 0 * step, 0.002),
            "ratio_max": (2 + i + 10 * entropy, 0.8),
        }
        for name, (values, noise) in metrics.items():
            for at, value in zip(step, values + rng.normal(0, noise, STEPS), strict=True):
                low, high = value - 2 * noise, value + 2 * noise
                rows.append((variant, label, at, name, value, max(1e-3, low), high, SEEDS))
        for seed in range(1, SEEDS + 1):
            own = reward + rng.normal(0, 0.004)
            reached = [
                int(step[own >= goal][0]) if (own >= goal).any() else "" for goal in (0.6, 0.7, 0.8)
            ]
            area = reward.mean()
            efficiency.append(
                (variant, label, seed, own.mean(), area - 0.002, area + 0.002, *reached)
            )
    columns = ["variant", "label", "step", "metric", "mean", "low", "high", "seeds"]
    _write(tables / f"{study}_dynamics.csv", columns, rows)
    columns = ["variant", "label", "seed", "area", "area_low", "area_high"]
    columns += ["steps_to_0.6", "steps_to_0.7", "steps_to_0.8"]
    _write(tables / f"{study}_efficiency.csv", columns, efficiency)


def _gradient_use(tables, study, labels, rng):
    rows = []
    middles = (np.array(EDGES[:-1]) + EDGES[1:]) / 2
    for i, (variant, label) in enumerate(labels.items()):
        lost = 0.35 * np.exp(-middles / 0.05) / (1 + i)
        for low, high, loss in zip(EDGES[:-1], EDGES[1:], lost, strict=True):
            tokens = int(2000 + 60000 * (high - low) + 50000 * (low > 0.98))
            nonzero, weight = 1 - loss, 1 - loss * (0.8 + 0.1 * rng.random())
            bounds = nonzero - 0.01, min(1, nonzero + 0.01), weight, weight - 0.01, weight + 0.01
            rows.append((variant, label, low, high, tokens, nonzero, *bounds))
    columns = ["variant", "label", "bin_low", "bin_high", "tokens", "nonzero_fraction"]
    columns += ["nonzero_low", "nonzero_high", "mean_weight", "weight_low", "weight_high"]
    _write(tables / f"{study}_gradient_use.csv", columns, rows)


def _stability(tables, story, rng):
    rows = []
    plan = [("grpo", "lr", r) for r in RATES] + [("sapo", "lr", r) for r in RATES]
    plan += [("maspo", "lr", r) for r in RATES]
    plan += [(name, "updates_per_batch", n) for name in ("grpo", "maspo") for n in (1, 4, 16)]
    plan += [("sapo", "gate", "bilateral"), ("sapo_unilateral", "gate", "unilateral")]
    plan += [("maspo_bilateral", "gate", "bilateral"), ("maspo", "gate", "unilateral")]
    for objective, factor, value in plan:
        bad = (objective, value) in (("maspo", "1e-4"), ("sapo", "bilateral"))
        bad &= story == "collapse"
        row = [f"{objective}@{factor}_{value}", f"{objective.upper()}, {factor} {value}"]
        row += [objective, factor, value, SEEDS, 2 if bad else 0]
        for level, half in zip(
            (0.2, 2.4, 0.3) if bad else (0.8, 0.25, 0.8), (0.02,) * 3, strict=True
        ):
            middle = level + rng.normal(0, 0.005)
            row += [middle, middle - half, middle + half]
        rows.append(row)
    columns = ["variant", "label", "objective", "factor", "value", "seeds", "collapsed"]
    for name in ("final_reward", "final_entropy", "avg_at_k"):
        columns += [name, f"{name}_low", f"{name}_high"]
    _write(tables / "stability.csv", columns, rows)


def _write(path, columns, rows):
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)


if __name__ == "__main__":
    print(fabricate(Path(sys.argv[1]), *sys.argv[2:]))
