"""Every completion drawn again from the policy that it is said to come from.

Possible on the platform of the evaluation alone, and as slow as that was.
"""

from collections.abc import Iterator
from itertools import zip_longest

import pandas as pd

from maspo.audit.environment import fingerprint
from maspo.audit.finding import Finding, note
from maspo.audit.manifest import surroundings
from maspo.audit.tree import Manifest, Tree
from maspo.config import experiment_from
from maspo.determinism import make_deterministic
from maspo.evaluation.draw import draw_records
from maspo.policy import load_policy
from maspo.sampling.make import make_sampler
from maspo.tasks import read_problems
from maspo.verifier import Verifier

DRAWN = ["benchmark", "problem", "sample", "tokens", "text"]


def check_draws(tree: Tree) -> Iterator[Finding]:
    """Compare the records with those that policy, problems and seeds give here."""
    here = fingerprint(surroundings())
    for variant, seed, path, records in tree.records():
        name, manifest = tree.name(path), tree.manifest(path.parent)
        if manifest is None:
            continue  # the check of the seeds names it
        if fingerprint(manifest) != here or manifest["settings"]["sampler"]["kind"] == "vllm":
            found = "another, or a sampler that does not repeat itself"
            yield note("draws", name, "this platform: completions can be drawn again", found)
            continue
        again = draw_again(tree, manifest, variant, seed)
        rows = zip_longest(*(f[DRAWN].itertuples(index=False) for f in (again, records)))
        unlike = [(wanted, had) for wanted, had in rows if wanted != had]
        if unlike:
            wanted, had = (tuple(row) if row else None for row in unlike[0])
            yield Finding("draws", name, f"{wanted}, drawn again from its policy", str(had))
            yield Finding(
                "draws", name, f"{len(again)} rows as drawn again", f"{len(unlike)} others"
            )


def draw_again(tree: Tree, manifest: Manifest, variant: str, seed: int) -> pd.DataFrame:
    """Return the records of a policy as its evaluation made them."""
    experiment = experiment_from({**manifest["experiment"], "results": str(tree.root)})
    make_deterministic(experiment.threads)
    folder = tree.layout.data / "benchmarks"
    benchmarks = {n: read_problems(folder / f"{n}.parquet") for n in experiment.task.benchmarks}
    source, model = tree.layout.policy(variant, seed), experiment.model
    policy, tokenizer = load_policy(source, model.dtype, model.device)
    with (
        Verifier(rules=experiment.task.extraction) as verifier,
        make_sampler(experiment, policy, tokenizer) as sampler,
    ):
        drawn = (experiment.evaluate, experiment.task, seed)
        return draw_records(benchmarks, sampler, tokenizer, verifier, *drawn).to_pandas()
