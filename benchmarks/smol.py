"""Does a language model of 135M parameters learn small word problems by GRPO on a laptop?

    python -m benchmarks.smol .venv-lm/policy results/smol

A short supervised warm-up on demonstrations, then the package's own steps: data, base, evaluate,
30 steps of GRPO (8 prompts x 8 completions, 4 updates, float32), evaluate. This is the gate of a
scale `smol`: docs/scales.md has the conditions and what was measured. A step that is done is not
done again, so a killed run goes on.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from benchmarks.word_problems import draw
from maspo.files import read_json_lines
from maspo.layout import Layout
from maspo.policy import encode_prompts, load_policy, pad_batch, save_policy, token_log_probs
from maspo.tasks import Problem

# The task reads six benchmarks by these names; here each is an equal part of the held-out problems.
PARTS = ("aime24", "aime25", "amc23", "math500", "minerva_math", "olympiadbench")
GATE = (0.1, 0.6)  # share of right completions that leaves RL something to learn from
BATCH, RATE = 8, 1e-4  # demonstrations of a step of the warm-up, and its highest rate


def questions(count: int) -> list[tuple[str, str, int]]:
    """Return so many different questions, their sums and answers, always the same ones."""
    rng = np.random.default_rng(1)
    found: dict[str, tuple[str, str, int]] = {}
    while len(found) < count:
        drawn = draw(rng)
        found[drawn[0]] = drawn
    return list(found.values())


def write_files(folder: Path, held_out: int, training: int) -> list[tuple[str, str, int]]:
    """Write held-out and training problems as JSONL; return the training problems."""
    drawn = questions(held_out + training)
    files = {folder / "own" / "set" / "train.jsonl": drawn[held_out:]}
    for i, name in enumerate(PARTS):
        files[folder / "tests" / f"{name}.jsonl"] = drawn[i : held_out : len(PARTS)]
    for path, rows in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps({"problem": question, "answer": a}) + "\n" for question, _, a in rows]
        path.write_text("".join(lines))
    return drawn[held_out:]


def warm_up(source: str, target: Path, drawn: list[tuple[str, str, int]], steps: int) -> None:
    """Write a policy that was shown `steps` batches of problems with sum and boxed answer."""
    torch.manual_seed(1)
    policy, tokenizer = load_policy(source)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=RATE, weight_decay=0.0, fused=True)
    rng = np.random.default_rng(2)
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = RATE * min(1, (step + 1) / 4) * (1 - step / steps)
        chosen = [drawn[i] for i in rng.integers(len(drawn), size=BATCH)]
        problems = [Problem.create(q, str(answer), "words") for q, _, answer in chosen]
        shown = [rf"{sum_}={answer} \boxed{{{answer}}}" for _, sum_, answer in chosen]
        batch = pad_batch(
            encode_prompts(tokenizer, problems, 512),
            [[*ids, tokenizer.eos_token_id] for ids in tokenizer(shown).input_ids],
            tokenizer.pad_token_id,
        )
        log_prob, _ = token_log_probs(policy, batch)
        loss = -log_prob[batch.mask].mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        print(f"warm-up {step + 1}/{steps}: {loss.item():.3f} nats a token", flush=True)
    save_policy(target, policy, tokenizer)


def settings(folder: Path, options: argparse.Namespace) -> list[str]:
    """Return the overrides that make scale gpu a study of the warm policy on one thread."""
    return [
        *("scale=gpu", f"results={folder / 'results'}", "threads=1"),
        *(f"model.path={folder / 'warm'}", "model.device=cpu", "sampler=transformers"),
        *(f"task.local_dir={folder}", "task.training.repo=own/set", "task.training.sha256=null"),
        *("task.training.file=train.jsonl", f"task.benchmark_files={folder / 'tests'}"),
        *("task.template='{problem}'", "task.max_prompt_tokens=160"),
        *("task.max_completion_tokens=16", f"train.steps={options.steps}"),
        *(f"train.prompts_per_batch={options.prompts}", "train.group_size=8"),
        *("train.updates_per_batch=4", f"train.lr={options.lr}", "train.precision=float32"),
        *("train.gradient_checkpointing=false", "train.micro_batch_tokens=null"),
        *("train.logits_chunk=null", "train.checkpoint_every=10", "train.rollouts_mb=null"),
        *("evaluate.samples=8", "evaluate.temperature=1", "evaluate.top_p=1"),
    ]


def step(name: str, overrides: list[str], done: Path) -> None:
    """Run a step of the package unless its manifest is there, and print its wall seconds."""
    if (done / "manifest.json").is_file():
        return
    start = time.time()
    subprocess.run([sys.executable, "-m", f"maspo.steps.{name}", *overrides], check=True)
    print(f"{name}: {time.time() - start:.0f} s", flush=True)


def accuracy(layout: Layout, variants: dict[str, int]) -> dict[str, pd.DataFrame]:
    """Print the share of right and of boxed completions; return the records by variant."""
    records = {
        variant: pd.read_parquet(layout.evaluation(variant, seed) / "records.parquet")
        for variant, seed in variants.items()
    }
    for variant, table in records.items():
        right = (table.verdict == "correct").groupby(table.problem).mean()
        boxed = table.text.str.contains(r"\boxed{", regex=False).mean()
        half = 1.96 * right.std() / len(right) ** 0.5
        mixed = ((right > 0) & (right < 1)).mean()
        print(
            f"{variant}: right {right.mean():.1%} +- {half:.1%} of {len(table)} "
            f"({len(right)} problems), boxed {boxed:.1%}, groups that are not uniform {mixed:.1%}"
        )
    return records


def main() -> None:
    """Run all steps and print what the gate asks for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("policy", help="folder in Hugging Face format")
    parser.add_argument("folder", type=Path, help="where everything is written")
    parser.add_argument("--warm-up", type=int, default=30, help="supervised steps")
    parser.add_argument("--steps", type=int, default=30, help="steps of GRPO")
    parser.add_argument("--prompts", type=int, default=8, help="prompts of a step")
    parser.add_argument("--lr", type=float, default=2e-6, help="rate of GRPO")
    parser.add_argument("--held-out", type=int, default=102, help="problems of the evaluations")
    options = parser.parse_args()
    torch.set_num_threads(1)
    folder = options.folder.resolve()
    drawn = write_files(folder, options.held_out, 2000)
    if not (folder / "warm").is_dir():
        warm_up(options.policy, folder / "warm", drawn, options.warm_up)
    overrides, layout = settings(folder, options), Layout(folder / "results")
    run = [*overrides, "variant=grpo", "seed=1"]
    step("data", overrides, layout.data)
    step("base", [*overrides, "seed=0"], layout.base(0))
    step("evaluate", [*overrides, "variant=base", "seed=0"], layout.evaluation("base", 0))
    (before,) = accuracy(layout, {"base": 0}).values()
    share = (before.verdict == "correct").mean()
    if not GATE[0] <= share <= GATE[1]:
        sys.exit(f"The gate asks for {GATE[0]:.0%} to {GATE[1]:.0%}: GRPO is not started")
    step("train", run, layout.run("grpo", 1))
    step("evaluate", run, layout.evaluation("grpo", 1))
    tables = accuracy(layout, {"base": 0, "grpo": 1})
    shares = [(t.verdict == "correct").groupby(t.problem).mean() for t in tables.values()]
    gain = shares[1] - shares[0]
    half = 1.96 * gain.std() / len(gain) ** 0.5
    print(f"gain {gain.mean():.1%} +- {half:.1%}, paired by problem")
    for row in read_json_lines(layout.run("grpo", 1) / "metrics.jsonl"):
        print({key: round(row[key], 4) for key in ("step", "reward", "entropy", "uniform_groups")})


if __name__ == "__main__":
    main()
