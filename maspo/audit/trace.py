"""Where a number comes from: a cell of a table, back to configuration and seed."""

from collections.abc import Iterator

from maspo.audit.metrics import METRICS, recompute
from maspo.audit.tree import Tree
from maspo.errors import ConfigError
from maspo.evaluation.records import read_records
from maspo.files import sha256
from maspo.layout import BASE_VARIANT


def trace(tree: Tree, cell: str) -> Iterator[str]:
    """Yield the chain behind ``suite/study/variant/benchmark/metric``, a line a link.

    Raises:
        ConfigError: there is no such cell; the message says what there is.
    """
    parts = cell.split("/")
    if len(parts) != 5:
        raise ConfigError(
            f"--only {cell}: write suite/study/variant/benchmark/metric, "
            "as in default/main/maspo/average/avg_at_k"
        )
    suite, study, variant, benchmark, metric = parts
    if (found := tree.studies.get((suite, study))) is None:
        known = ["/".join(key) for key in tree.studies]
        raise ConfigError(f"--only {cell}: no study {suite}/{study}, there are {known}")
    runs = found.runs if variant != BASE_VARIANT else [(BASE_VARIANT, 0)]
    runs = [run for run in runs if run[0] == variant]
    if not runs or metric not in METRICS:
        raise ConfigError(
            f"--only {cell}: the variants are {[BASE_VARIANT, *found.variants]}, "
            f"the metrics {list(METRICS)}"
        )
    values = []
    for name, seed in runs:
        path = tree.records_file(name, seed)
        metrics = recompute(read_records(path))
        if benchmark not in metrics.index:
            raise ConfigError(f"--only {cell}: the benchmarks are {list(metrics.index)}")
        values.append(float(metrics.loc[benchmark, metric]))
        yield f"seed {seed}: {metric} = {values[-1]!r}"
        yield from links(tree, name, seed)
    yield f"{cell}: mean over {len(values)} seeds = {sum(values) / len(values)!r}"
    yield f"in {tree.name(tree.layout.tables(suite) / f'{study}.csv')}"
    data = tree.manifests["data/manifest.json"]
    yield f"problems: {data['outputs']}, seeds {data['seeds']}, settings {data['settings']}"


def links(tree: Tree, variant: str, seed: int) -> Iterator[str]:
    """Yield the files and steps behind the records of one policy, the newest first."""
    steps = [tree.layout.evaluation(variant, seed)]
    if variant != BASE_VARIANT:
        steps.append(tree.layout.run(variant, seed))
    for folder in [*steps, tree.layout.base]:
        manifest = tree.manifest(folder)
        if manifest is None:
            yield f"  {tree.name(folder)}: NO MANIFEST"
            continue
        for output, digest in manifest["outputs"].items():
            if not output.endswith(".jsonl"):
                state = "as stated" if sha256(tree.root / output) == digest else "NOT AS STATED"
                yield f"  {output}: SHA-256 {digest}, {state}"
        git = manifest["package"]["git"] or {}
        yield (
            f"    made by step {manifest['step']} at commit {git.get('commit')}, "
            f"seeds {manifest['seeds']}, on {manifest['time']['finished']}"
        )
        yield f"    settings {manifest['settings']}"
