"""Where the variance of each reported Avg@k comes from, and what more precision would cost."""

import numpy as np
import pandas as pd

from maspo.inert import in_markdown
from maspo.layout import BASE_VARIANT
from maspo.reporting.format import fixed, markdown, percent
from maspo.reporting.labels import label
from maspo.reporting.suite import Suite
from maspo.statistics import plan, variance_components

PARTS = ("seed", "problem", "seed_problem", "decoding")
COLUMNS = [
    *("variant", "label", "seeds", "problems", "samples", *PARTS, "total"),
    *(f"{part}_share" for part in PARTS),
    *("minus_label", *(f"minus_{part}" for part in (*PARTS, "total"))),
    *(f"minus_{part}_share" for part in PARTS),
]
HALF_WIDTH = 0.01  # of Avg@k: the one point that the plan of the Markdown table asks for


def variance(suite: Suite) -> pd.DataFrame:
    """Return the parts of the variance of each variant's average Avg@k.

    Columns: variant, label, seeds, problems, samples; variances `PARTS` and their sum; shares.
    Then, where a study compares the variant with a reference, the same of the paired difference
    with ``minus_`` in front. Cells that one seed leaves unknown are empty.
    """
    rows = []
    for variant, runs in suite.runs_by_variant.items():
        if variant == BASE_VARIANT:
            continue
        own = suite.results.outcomes(runs)
        parts = variance_components(own)
        row = {"variant": variant, "label": label(variant), **parts}
        if reference := _reference(suite, variant):
            other = suite.results.outcomes([(reference, seed) for _, seed in runs])
            minus = variance_components(own, other)
            row["minus_label"] = label(reference)
            row |= {f"minus_{name}": value for name, value in minus.items()}
        rows.append(row)
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def _reference(suite: Suite, variant: str) -> str | None:
    """Return what a variant is compared with in the first study, if that has all its seeds."""
    seeds = {name: {seed for _, seed in runs} for name, runs in suite.runs_by_variant.items()}
    for data in suite.studies:
        for method, reference in data.study.pairs:
            if method == variant and seeds[variant] <= seeds[reference]:
                return reference
    return None


def variance_markdown(suite: Suite, table: pd.DataFrame) -> str:
    """Return standard errors in points and shares in percent, and a plan for one point."""
    header = ["Variant", "Seeds", "Standard error (points)"]
    header += [f"{part.replace('_', ' x ')} (%)" for part in PARTS]
    header += ["Reference", "Standard error of the difference"]
    header += [f"{part.replace('_', ' x ')} (%)" for part in PARTS]
    rows = []
    for row in table.itertuples():
        cells = [row.label, str(row.seeds), fixed(100 * np.sqrt(row.total), 2)]
        cells += [percent(getattr(row, f"{part}_share")) for part in PARTS]
        cells += ["–" if pd.isna(row.minus_label) else row.minus_label]
        cells += [fixed(100 * np.sqrt(row.minus_total), 2)]
        cells += [percent(getattr(row, f"minus_{part}_share")) for part in PARTS]
        rows.append(cells)
    note = (
        "Parts of the variance of the reported Avg@k (average over benchmarks; as it is with these "
        "numbers of seeds, problems and samples), left of the score itself, right of its paired "
        "difference to the reference. With one seed the seed's part is not known and the standard "
        "error lacks it.\n"
    )
    return f"{markdown(header, rows)}\n{note}\n{_plan(suite)}"


def _plan(suite: Suite) -> str:
    """Return what an interval of one point either side would cost for the paper's method."""
    for data in suite.studies:
        ours, reference = data.ours(), data.study.reference
        if ours in (None, reference) or data.study.seeds < 2 or data.samples < 2:
            continue
        parts = variance_components(data.outcomes(ours), data.outcomes(reference))
        level = suite.analysis.statistics.level
        options = plan(parts, HALF_WIDTH, level=level, same_problems=True)
        difference = in_markdown(f"{label(ours)} minus {label(reference)}")
        start = (
            f"To know {difference} on these very problems "
            f"to within {fixed(100 * HALF_WIDTH, 0)} point either side ({100 * level:g} %), "
        )
        if options.empty:
            return f"{start}30 seeds and k = 128 are not enough.\n"
        cheapest = options.iloc[0]
        return (
            f"{start}{cheapest.seeds:g} seeds and k = {cheapest.samples:g} are the cheapest that "
            f"suffice: {cheapest.completions:,.0f} completions a method.\n"
        )
    return "No study compares the paper's method with a reference over two seeds or more.\n"
