"""Runs made up for tests: records, logs and manifests of a policy of known skill."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from maspo.config import Experiment, Study, load_experiment, split_variant
from maspo.evaluation.records import SCHEMA, write_records
from maspo.layout import BASE_VARIANT, Layout
from maspo.reporting.analysis import load_analysis
from maspo.reporting.results import Results
from maspo.reporting.study_data import StudyData
from maspo.reporting.suite import Suite

EDGES = [0.0, 0.5, 1.0]
STEPS = 20


@dataclass(frozen=True)
class Skill:
    """What a variant is made to be able to do."""

    easy: float = 0.8  # chance of a correct completion in benchmark `easy`
    hard: float = 0.4
    reward: tuple[float, ...] = tuple(np.linspace(0.4, 0.9, STEPS))
    entropy: tuple[float, ...] = tuple(np.linspace(0.2, 0.1, STEPS))
    spread: float = 0.0  # standard deviation of the seeds' chances and rewards


def make_runs(
    root: Path,
    skills: dict[str, Skill],
    seeds: int = 3,
    problems: int = 40,
    samples: int = 8,
    base: Skill | None = None,
) -> Layout:
    """Write the records, logs and manifests of every variant, and of the base policies.

    Each run has a base policy of its own; that of seed 0 is there too, as a published one.
    """
    layout = Layout(root)
    base = base or Skill(0.5, 0.1)
    for variant, skill in {BASE_VARIANT: base, **skills}.items():
        for seed in range(variant != BASE_VARIANT, seeds + 1):
            # One noise for all variants of a seed, as common random numbers would leave it.
            shift = skill.spread * np.random.default_rng(seed).normal()
            write_evaluation(layout, variant, seed, skill, shift, problems, samples)
            if variant != BASE_VARIANT:
                write_run(layout, variant, seed, skill, shift)
    return layout


def write_evaluation(layout, variant, seed, skill, shift, problems, samples):
    """Write records of two benchmarks whose completions are correct with the skill's chances."""
    rng = np.random.default_rng(1000 + seed)
    columns = {name: [] for name in SCHEMA.names}
    for benchmark in ("easy", "hard"):
        chance = np.clip(getattr(skill, benchmark) + shift, 0, 1)
        correct = rng.random((problems, samples)) < chance
        rows = problems * samples
        columns["benchmark"] += [benchmark] * rows
        columns["problem"] += [
            f"{benchmark}{i:03}" for i in range(problems) for _ in range(samples)
        ]
        columns["sample"] += list(range(samples)) * problems
        columns["verdict"] += ["correct" if c else "wrong" for c in correct.ravel()]
        columns["tokens"] += [5] * rows
        columns["seed"] += [seed] * rows
        columns["text"] += [""] * rows
        columns["answer"] += ["1"] * rows
        columns["gold"] += ["1"] * rows
    folder = layout.evaluation(variant, seed)
    write_records(folder / "records.parquet", pa.table(columns, schema=SCHEMA))
    write_manifest(folder, {}, {"sample": 2.0})


def write_run(layout, variant, seed, skill, shift, gradient_use=True):
    """Write the logs of a run whose reward and entropy follow the skill's curves."""
    folder = layout.run(variant, seed)
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for step, (reward, entropy) in enumerate(zip(skill.reward, skill.entropy, strict=True), 1):
        row = {"step": step, "reward": reward + shift, "tokens": 100, "entropy": entropy}
        row |= {"completion_length": 5.0, "gradient_norm": 1.0, "weight_mean": 0.9}
        if gradient_use:
            row["gradient_use"] = {
                "edges": EDGES,
                "tokens": [10, 30],
                "nonzero": [5, 30],
                "weight": [4.0, 27.0],
            }
        rows.append(row)
    timings = [
        {"step": row["step"], "seconds": 1.0, "sample": 0.5, "verify": 0.1}
        | {"old_log_probs": 0.1, "update": 0.2, "other": 0.1, "tokens_per_second": 100.0}
        for row in rows
    ]
    for name, lines in (("metrics", rows), ("timings", timings)):
        text = "".join(json.dumps(line) + "\n" for line in lines)
        (folder / f"{name}.jsonl").write_text(text)
    objective, changed = split_variant(variant)
    train = {"lr": 3e-5, "updates_per_batch": 16} | changed
    train["lr"] = float(train["lr"])
    width = {"sigma_base": 1.0} if objective == "maspo" else {}
    write_manifest(folder, {"train": train, "objective": width}, {"train": 20.0})


def write_manifest(folder, settings, seconds):
    """Write as much of a manifest as the reports read."""
    manifest = {
        "settings": settings,
        "time": {"seconds": seconds},
        "platform": {"processor": "Test CPU", "machine": "x86_64", "cores": 2},
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))


def settings(*overrides: str) -> Experiment:
    """Return a mini experiment of 8 samples and few draws, so that tests are quick."""
    quick = ["scale=mini", "evaluate.samples=8", "statistics.draws=199"]
    return load_experiment([*quick, *overrides])


def study_data(layout: Layout, variants: list[str], seeds: int = 3, **fields) -> StudyData:
    """Return a study of made-up runs; its name and reference can be given."""
    known = {"name": "main", "title": "Test", "reference": variants[0], **fields}
    numbers = {"seeds": seeds, "first_seed": 1, "base_seeds": tuple(range(1, seeds + 1))}
    study = Study(variants=tuple(variants), **(numbers | known))
    return StudyData(Results(layout), study, load_analysis(settings().statistics))


def suite_of(*studies: StudyData, experiment: Experiment | None = None) -> Suite:
    """Return a suite of studies that share a results folder."""
    first = studies[0]
    experiment = experiment or replace(settings(), results=str(first.results.layout.root))
    return Suite(experiment, first.results, studies, first.analysis)
