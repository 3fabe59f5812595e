"""Problems and records as data sets of the Hugging Face hub, for `datasets.load_dataset`."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from huggingface_hub import DatasetCard, DatasetCardData

from maspo.errors import DataError
from maspo.evaluation.records import SCHEMA
from maspo.files import write_text
from maspo.inert import code, in_markdown
from maspo.layout import Layout
from maspo.sharing.source import CITATION, PAPER, check, copy, made_by, manifest_of, new_folder
from maspo.tasks.problems import read_table

Configs = Mapping[str, Sequence[tuple[str, str]]]  # (split, path or pattern), by name
PROBLEM_COLUMNS = {
    "id": "hash of the messages: the same question has the same id in every file",
    "messages": "the conversation up to the answer, as chat messages",
    "answer": "the gold answer",
    "source": "where the problem comes from",
}
RECORD_COLUMNS = {
    "variant": "method, with changed settings if any; `base` before reinforcement learning",
    "run": "seed of the run",
    "benchmark": "name of the benchmark",
    "problem": "id of the problem",
    "sample": "number of the completion, from 0",
    "seed": "what the completion was drawn from, the same for all methods",
    "text": "the completion, as the policy wrote it",
    "tokens": "its length",
    "answer": "the answer that was read from it; null if none was found",
    "gold": "the gold answer",
    "verdict": "correct, wrong, no_answer, timeout or error",
}


def share_data(results: Path, target: Path) -> None:
    """Write the problems of a results folder with a data card: one configuration a file.

    Raises:
        DataError: the data are missing or are not those of their manifest, or `target` is not new.
    """
    folder = Layout(results).data
    manifest = manifest_of(folder)
    names = {Path(name): Path(name).relative_to("data") for name in manifest["outputs"]}
    check(results, manifest, *(results / name for name in names))
    new_folder(target)
    for name, inside in names.items():
        copy(results / name, target / inside)
    copy(folder / "manifest.json", target / "manifest.json")
    files = sorted(inside for inside in names.values() if inside.suffix == ".parquet")
    configs = {}
    for file in files:
        split = "test" if file.parts[0] == "benchmarks" else "train"
        configs[file.stem] = [(split, file.as_posix())]
    write_card(target, problems_text(manifest), configs, manifest, PROBLEM_COLUMNS)


def share_evaluations(results: Path, target: Path) -> None:
    """Write the records of every evaluated policy with a data card: one configuration a variant.

    Raises:
        DataError: there are none, or some are not those of their manifest, or `target` is not new.
    """
    evaluations = Layout(results).root / "evaluation"
    folders = sorted(path.parent for path in evaluations.glob("*/seed_*/manifest.json"))
    if not folders:
        raise DataError(f"{evaluations} holds no evaluation: run the workflow first")
    new_folder(target)
    configs: dict[str, list[tuple[str, str]]] = {}
    for folder in folders:
        manifest = manifest_of(folder)
        check(results, manifest, folder / "records.parquet")
        variant, seed = folder.parent.name, int(folder.name.removeprefix("seed_"))
        place = target / "records" / variant / f"{folder.name}.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(named(read_table(folder / "records.parquet", SCHEMA), variant, seed), place)
        copy(folder / "manifest.json", place.with_suffix(".manifest.json"))
        configs.setdefault(variant, []).append(("test", place.relative_to(target).as_posix()))
    configs = {"all": [file for files in configs.values() for file in files], **configs}
    lines = [
        "# Completions of the policies of a replication of MASPO\n",
        "Every completion of every benchmark problem with its verdict. All metrics come from these "
        "rows: Avg@k is the share of `verdict == 'correct'`, averaged over problems.\n",
        "The text is a model's: do not run it.\n",
    ]
    write_card(target, lines, configs, manifest, RECORD_COLUMNS)


def named(records: pa.Table, variant: str, seed: int) -> pa.Table:
    """Return records with the policy that they are of, in columns `variant` and `run`."""
    count = len(records)
    columns = {"variant": pa.array([variant] * count), "run": pa.array([seed] * count, pa.int32())}
    for place, (name, values) in enumerate(columns.items()):
        records = records.add_column(place, name, values)
    return records


def problems_text(manifest: Mapping[str, Any]) -> list[str]:
    """Return what the problems are, by the settings that made them."""
    task = manifest["settings"]
    lines = ["# Problems of a replication of MASPO\n"]
    if task["kind"] == "modular":
        lines.append(
            f"Arithmetic modulo {task['modulus']}, evaluated from left to right, made from a seed. "
            "A share of the facts is held out of `train`; the benchmarks, graded by the number of "
            "terms, ask for those too.\n"
        )
    else:
        lines.append(
            "Collected from public data sets, decontaminated against the benchmarks. **The "
            "licences of the sources hold**; read them before you publish this folder. Names, "
            "revisions and hashes of the sources are the settings in `manifest.json`.\n"
        )
    return lines


def write_card(
    target: Path,
    lines: Sequence[str],
    configs: Configs,
    manifest: Mapping[str, Any],
    columns: Mapping[str, str],
) -> None:
    """Write README.md: metadata that `load_dataset` reads, then words."""
    made = manifest["experiment"]["task"]["kind"] == "modular"
    data = DatasetCardData(
        license="apache-2.0" if made else None,
        language=["en"] if not made else None,
        task_categories=["text-generation"],
        tags=["reinforcement-learning", "rlvr", "mathematics", "replication"],
        configs=[
            {
                "config_name": name,
                "data_files": [
                    {"split": split, "path": paths} for split, paths in by_split(files).items()
                ],
            }
            for name, files in configs.items()
        ],
    )
    text = "\n".join([*lines, *usage(configs), *described(columns), *origin(manifest)])
    write_text(target / "README.md", str(DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{text}\n")))


def by_split(files: Sequence[tuple[str, str]]) -> dict[str, list[str]]:
    """Return the paths of each split."""
    splits: dict[str, list[str]] = {}
    for split, path in files:
        splits.setdefault(split, []).append(path)
    return splits


def usage(configs: Configs) -> Iterator[str]:
    """Yield how to load the data."""
    name, files = next(iter(configs.items()))
    yield "## Use\n"
    yield (
        "```python\nfrom datasets import load_dataset\n\n"
        f'load_dataset("FOLDER OR REPOSITORY", {name!r}, split={files[0][0]!r})\n```\n'
    )
    yield f"Configurations: {', '.join(code(name) for name in configs)}.\n"


def described(columns: Mapping[str, str]) -> Iterator[str]:
    """Yield a table of the columns."""
    yield "| column | is |\n|---|---|"
    yield from (f"| `{name}` | {in_markdown(what)} |" for name, what in columns.items())


def origin(manifest: Mapping[str, Any]) -> list[str]:
    """Return where the data come from."""
    made = f"Made by {made_by(manifest)}, for a replication of [the paper]({PAPER})."
    return [f"\n## Origin\n\n{made} Every setting and hash is in the manifests beside.\n", CITATION]
