"""A policy as a model of the Hugging Face hub, with a model card made from its manifest."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from maspo.evaluation.records import read_records
from maspo.evaluation.scores import score
from maspo.files import write_text
from maspo.inert import code, in_markdown
from maspo.layout import BASE_VARIANT, Layout
from maspo.sharing.source import CITATION, PAPER, check, copy, made_by, manifest_of, new_folder

Scores = list[dict[str, Any]]  # a row a benchmark


def share_policy(results: Path, variant: str, seed: int, target: Path) -> None:
    """Write a folder that `AutoModelForCausalLM.from_pretrained` loads, with its card.

    Beside the policy stand its manifest and its training log.

    Raises:
        DataError: the policy is missing or is not the one of its manifest, or `target` is not new.
    """
    layout = Layout(results)
    policy = layout.policy(variant, seed)
    manifest = manifest_of(policy.parent)
    check(results, manifest, policy)
    scores = scores_of(layout, variant, seed)
    new_folder(target)
    copy(policy, target)
    for name in ("manifest.json", "metrics.jsonl"):
        if (policy.parent / name).is_file():
            copy(policy.parent / name, target / name)
    card = model_card(manifest, variant, seed, scores)
    write_text(target / "README.md", str(card))


def scores_of(layout: Layout, variant: str, seed: int) -> Scores:
    """Return the scores of a policy on each benchmark; none if it was not evaluated."""
    folder = layout.evaluation(variant, seed)
    if not (folder / "manifest.json").is_file():
        return []
    records = folder / "records.parquet"
    check(layout.root, manifest_of(folder), records)
    return score(read_records(records)).to_dict("records")


def model_card(manifest: Mapping[str, Any], variant: str, seed: int, scores: Scores) -> ModelCard:
    """Return the card of a policy: what it is, settings, results, limits and origin."""
    model = manifest["experiment"]["model"]
    built = model["kind"] == "built"
    published = None if built or Path(model["path"]).is_absolute() else model["path"]
    name = f"{variant}-seed-{seed}"
    data = ModelCardData(
        license="apache-2.0" if built else None,
        base_model=published,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["reinforcement-learning", "rlvr", "maspo", "replication"],
        model_name=name,
        eval_results=list(eval_results(scores)) or None,
    )
    return ModelCard(
        f"---\n{data.to_yaml()}\n---\n\n" + "\n".join(text(manifest, variant, seed, scores)) + "\n"
    )


def eval_results(scores: Scores) -> Iterator[EvalResult]:
    """Yield Avg@k and Pass@k of each benchmark, in the hub's form."""
    for row in scores:
        for kind, title in (("avg_at_k", "Avg"), ("pass_at_k", "Pass")):
            yield EvalResult(
                task_type="text-generation",
                dataset_type=row["benchmark"],
                dataset_name=row["benchmark"],
                metric_type=kind,
                metric_name=f"{title}@{row['samples']}",
                metric_value=round(float(row[kind]), 6),
            )


def text(manifest: Mapping[str, Any], variant: str, seed: int, scores: Scores) -> Iterator[str]:
    """Yield the lines of the card below its metadata."""
    experiment, base = manifest["experiment"], variant == BASE_VARIANT
    model, task = experiment["model"], experiment["task"]
    yield f"# {in_markdown(variant)}, seed {seed}\n"
    if base:
        yield f"A base policy, before RL, of the replication of [MASPO]({PAPER}).\n"
    else:
        method = manifest["settings"]["objective"]["_target_"].split(".")[-1]
        yield (
            f"A policy trained by reinforcement learning with verifiable rewards, objective "
            f"{code(method)}, in the replication of [MASPO]({PAPER}).\n"
        )
    if model["kind"] == "built":
        yield (
            "It is a miniature: a policy of well under a million parameters that does modular "
            "arithmetic and nothing else. It shows how training methods differ; it is of no use "
            "as a language model.\n"
        )
    else:
        taught = ", after a warm-up on demonstrations" if model.get("supervised") else ""
        yield (
            f"It began as {code(model['path'])}, revision {code(str(model['revision']))}{taught}; "
            "the licence of that model holds for this one too.\n"
        )
    yield "## Use\n"
    yield (
        "```python\nfrom transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'policy = AutoModelForCausalLM.from_pretrained("FOLDER OR REPOSITORY")\n'
        'tokenizer = AutoTokenizer.from_pretrained("FOLDER OR REPOSITORY")\n```\n'
    )
    if scores:
        yield "## Results\n"
        yield "| benchmark | problems | samples each | Avg@k | Pass@k |\n|---|---:|---:|---:|---:|"
        for row in scores:
            yield (
                f"| {in_markdown(row['benchmark'])} | {row['problems']} | {row['samples']} "
                f"| {row['avg_at_k']:.1%} | {row['pass_at_k']:.1%} |"
            )
        yield "\nOf one seed: methods are compared over several, with intervals, not by this.\n"
    yield "## Training\n"
    shown = {key: value for key, value in manifest["settings"].items() if key != "task"}
    yield f"```json\n{json.dumps(shown, indent=1)}\n```\n"
    limit = task["max_completion_tokens"]
    yield f"Task: {code(task['kind'])}, with completions of at most {limit} tokens."
    yield "All settings, seeds and the SHA-256 of inputs and outputs stand in `manifest.json`.\n"
    yield f"## Origin\n\nMade by {made_by(manifest)}.\n"
    yield CITATION
