"""An evaluation in the form of lighteval's details and results, for tools that read those.

As lighteval 0.13.0 writes and loads them (`lighteval/logging/evaluation_tracker.py`): one Parquet
file a task, with a row a problem of `doc`, `metric` and `model_response`, and a JSON file of means.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from maspo.evaluation.metrics import avg_at_k, pass_at_k
from maspo.evaluation.records import read_records
from maspo.evaluation.scores import score
from maspo.files import write_json
from maspo.layout import Layout
from maspo.sharing.source import check, manifest_of, new_folder
from maspo.tasks import Problem, read_problems
from maspo.verifier import Verdict

FEW_SHOTS = 0  # examples in a prompt that lighteval put there: none


def share_details(results: Path, variant: str, seed: int, target: Path) -> None:
    """Write ``details/<model>/<date>/details_<task>_<date>.parquet`` and ``results/<model>/``.

    The model is called ``<variant>-seed-<seed>``, a task ``<benchmark>|0``.

    Raises:
        DataError: the evaluation or its problems are missing or are not those of their manifests,
            or `target` is not new.
    """
    layout = Layout(results)
    folder = layout.evaluation(variant, seed)
    manifest = manifest_of(folder)
    check(results, manifest, folder / "records.parquet")
    records = read_records(folder / "records.parquet")
    new_folder(target)
    model = f"{variant}-seed-{seed}"
    date = manifest["time"]["finished"].partition("+")[0].replace(":", "-")
    place = target / "details" / model / date
    place.mkdir(parents=True)
    for benchmark, group in records.groupby("benchmark", sort=False):
        file = layout.data / "benchmarks" / f"{benchmark}.parquet"
        check(results, manifest_of(layout.data), file)
        known = {problem.id: problem for problem in read_problems(file)}
        limit = manifest["experiment"]["task"]["max_completion_tokens"]
        table = pa.Table.from_pylist(list(rows(group, known, f"{benchmark}|{FEW_SHOTS}", limit)))
        pq.write_table(table, place / f"details_{benchmark}|{FEW_SHOTS}_{date}.parquet")
    write_json(target / "results" / model / f"results_{date}.json", means(records, manifest, model))


def rows(
    records: pd.DataFrame, known: dict[str, Problem], task: str, limit: int
) -> Iterator[dict[str, Any]]:
    """Yield one row a problem; the fields of `doc` and `model_response` are lighteval's own."""
    for problem, group in records.groupby("problem", sort=False):
        group = group.sort_values("sample")
        messages = known[problem].messages
        right, n = int(group["verdict"].eq(Verdict.CORRECT.value).sum()), len(group)
        yield {
            "doc": {
                "query": messages[-1]["content"],
                "choices": [known[problem].answer],
                "gold_index": 0,
                "id": problem,
                "task_name": task,
                "num_samples": n,
                "generation_size": limit,
                "specific": {
                    "seeds": group["seed"].tolist(),
                    "verdicts": group["verdict"].tolist(),
                    "answers": [None if pd.isna(a) else a for a in group["answer"]],
                },
            },
            "metric": {
                f"avg@n:n={n}": float(avg_at_k([right], n)[0]),
                f"pass@k:k={n}&n={n}": float(pass_at_k([right], n, n)[0]),
            },
            "model_response": {
                "input": [dict(message) for message in messages],
                "text": group["text"].tolist(),
            },
        }


def means(records: pd.DataFrame, manifest: dict[str, Any], model: str) -> dict[str, Any]:
    """Return lighteval's file of results: the metrics of each task, and their mean."""
    found = {
        f"{row['benchmark']}|{FEW_SHOTS}": {
            f"avg@n:n={row['samples']}": row["avg_at_k"],
            f"pass@k:k={row['samples']}&n={row['samples']}": row["pass_at_k"],
        }
        for row in score(records).to_dict("records")
    }
    whole = pd.DataFrame(found).mean(axis=1).to_dict()
    return {
        "config_general": {
            "model_name": model,
            "model_config": {"model_name": model, "generation_parameters": sampling(manifest)},
            "lighteval_sha": None,
            "maspo": manifest["package"],
        },
        "results": {**found, "all": whole},
        "versions": {},
        "config_tasks": {},
        "summary_tasks": {},
        "summary_general": {},
    }


def sampling(manifest: dict[str, Any]) -> dict[str, Any]:
    """Return how the completions were drawn, in lighteval's words."""
    settings = manifest["settings"]["evaluate"]
    limit = manifest["experiment"]["task"]["max_completion_tokens"]
    names = {name: settings[name] for name in ("temperature", "top_p")}
    return {**names, "max_new_tokens": limit}
