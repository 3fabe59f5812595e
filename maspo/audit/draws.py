"""Every completion drawn again from the policy that it is said to come from.

Possible on the platform of the evaluation alone, and as slow as that was.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import zip_longest

import pandas as pd
import pyarrow as pa

from maspo.audit.environment import fingerprint
from maspo.audit.finding import Finding, not_checked
from maspo.audit.tree import Manifest, Tree
from maspo.determinism import make_deterministic
from maspo.provenance.manifest import surroundings
from maspo.tasks import read_problems
from maspo.verifier import Verifier

DRAWN = ["benchmark", "problem", "sample", "tokens", "text"]


def check_draws(tree: Tree) -> Iterator[Finding]:
    """Compare the records with those that policy, problems and seeds give here."""
    here = fingerprint(surroundings())
    for path, records in tree.graded():
        name, manifest = tree.name(path), tree.manifest(path.parent)
        if manifest is None:
            continue  # the check of the seeds names it
        sampler = tree.experiment(manifest).sampler
        if fingerprint(manifest) != here or not sampler.repeatable:
            found = "another platform, or a sampler that does not repeat itself"
            yield not_checked("draws", name, found, "drawing again where the evaluation was made")
            continue
        again = draw_again(tree, manifest, "step" in records)
        rows = zip_longest(*(f[DRAWN].itertuples(index=False) for f in (again, records)))
        unlike = [(wanted, had) for wanted, had in rows if wanted != had]
        if unlike:
            wanted, had = (tuple(row) if row else None for row in unlike[0])
            yield Finding("draws", name, f"{wanted}, drawn again from its policy", str(had))
            yield Finding(
                "draws", name, f"{len(again)} rows as drawn again", f"{len(unlike)} others"
            )


def draw_again(tree: Tree, manifest: Manifest, snapshots: bool) -> pd.DataFrame:
    """Return the records of a policy, or of those on its way, as its evaluation made them."""
    from maspo.evaluation.draw import evaluate_policy, snapshot_benchmarks  # loads transformers

    experiment = replace(tree.experiment(manifest), results=str(tree.root))
    make_deterministic(experiment.threads)
    folder = tree.layout.data / "benchmarks"
    benchmarks = {n: read_problems(folder / f"{n}.parquet") for n in experiment.task.benchmarks}
    run = experiment.variant, experiment.seed
    sources = [tree.layout.policy(*run)]
    if snapshots:
        benchmarks = snapshot_benchmarks(benchmarks, experiment.evaluate)
        sources = [tree.layout.snapshot(*run, step) for step in experiment.train.snapshots]
    with Verifier(rules=experiment.task.extraction) as verifier:
        drawn = [evaluate_policy(experiment, verifier, place, benchmarks) for place in sources]
    return pa.concat_tables(drawn).to_pandas()
