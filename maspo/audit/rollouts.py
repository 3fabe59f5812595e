"""What runs kept of their rollouts is the sample that settings and seed give, and agrees in itself.

Groups, problems and seeds of the draws are drawn again, texts read from their tokens and graded
again, rewards, advantages and gradient weights computed again. Only tokens and log-probabilities
are taken as they stand.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby, zip_longest
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from maspo.audit.finding import Finding
from maspo.audit.tree import Manifest, Tree
from maspo.config import Train, build_scheduled
from maspo.errors import DataError
from maspo.files import read_json_lines
from maspo.objectives import PolicyBatch
from maspo.seeding import derive_seed
from maspo.tasks import Problem, read_problems
from maspo.training.advantages import group_relative
from maspo.training.rewards import draw_rewards, partial_credit
from maspo.training.rollouts import FILE, NUMBERS, read_rollouts, sampled_groups
from maspo.training.schedule import epoch_rows
from maspo.verifier import Verdict, Verifier

if TYPE_CHECKING:  # transformers takes seconds to load, and no other check needs it
    from transformers import PreTrainedTokenizerBase

Row = dict[str, Any]
Fault = tuple[str, str]  # expected, found
# A token's weight follows from its own numbers and the advantage, except in these methods: other
# tokens of the batch or the entropy, which is not kept, count there as well.
NOT_BY_TOKEN = ("bapo", "entropy_adv", "gspo", "dgpo")


def check_rollouts(tree: Tree) -> Iterator[Finding]:
    """Check ``rollouts.parquet`` of every run that keeps one."""
    rules = tree.manifests["data/manifest.json"]["settings"]["extraction"]
    with Verifier(rules=rules) as verifier:
        for variant, seed in tree.declared:
            folder = tree.layout.run(variant, seed)
            manifest = tree.manifest(folder)
            if manifest is None or not (folder / FILE).is_file():
                continue  # the checks of seeds and inventory name it
            name = f"{tree.name(folder)}/{FILE}"
            try:
                run = Run(tree, variant, seed, manifest)
                faults = run.faults(read_rollouts(folder / FILE), verifier)
                if fault := next(faults, None):  # one edit of a row breaks several rules
                    yield Finding("rollouts", name, *fault)
            except DataError as error:
                yield Finding("rollouts", name, "rollouts of this package", str(error))


class Run:
    """What is known of one run besides the rollouts that it kept."""

    def __init__(self, tree: Tree, variant: str, seed: int, manifest: Manifest) -> None:
        self.variant, self.seed = variant, seed
        experiment = tree.experiment(manifest)
        self.train: Train = experiment.train
        self.limit: int = experiment.task.max_completion_tokens
        self.tokenizer = tokenizer(tree.base(seed) / "policy")
        self.problems = problems(tree.layout.problems(self.train.problems))
        if manifest["settings"].get("overlong_prompts_dropped"):
            from maspo.policy import fitting_prompts

            longest = experiment.task.max_prompt_tokens
            self.problems, _ = fitting_prompts(self.tokenizer, self.problems, longest)
        self.credit = partial_credit(experiment)
        self.by_id = {problem.id: problem for problem in self.problems}
        log = read_json_lines(tree.layout.run(variant, seed) / "metrics.jsonl")
        self.log = {row.get("step"): row for row in log}
        self.size = (tree.layout.run(variant, seed) / FILE).stat().st_size

    def faults(self, table: pa.Table, verifier: Verifier) -> Iterator[Fault]:
        """Yield (expected, found) of what cannot be so."""
        most = (self.train.rollouts_mb or 0) * 1e6
        if self.size > max(most, 50_000):  # its columns alone take some kB
            yield f"at most {most:.0f} bytes, train.rollouts_mb", str(self.size)
        rows = table.to_pylist()
        wanted = [
            (step, group, sample)
            for step in range(1, self.train.steps + 1)
            for group in sampled_groups(self.train, self.limit, self.seed, step)
            for sample in range(self.train.group_size)
        ]
        if (found := [(row["step"], row["group"], row["sample"]) for row in rows]) != wanted:
            odd = [pair for pair in zip_longest(wanted, found) if len(set(pair)) > 1]
            yield f"(step, group, sample) {odd[0][0]}, as the seed chooses groups", str(odd[0][1])
            return
        for step, of_step in groupby(rows, key=itemgetter("step")):
            for fault in self.drawn(step, list(of_step)):
                yield fault[0] + f" at step {step}", fault[1]
        texts, golds = ([row[name] for row in rows] for name in ("text", "gold"))
        judged = verifier.judge_many(texts, golds)
        for row, judgement in zip(rows, judged, strict=True):
            failed = row["verdict"] == Verdict.ERROR.value and not row["tokens"]
            if row["verdict"] != judgement.verdict.value and not failed:
                yield f"verdict {judgement.verdict.value} {place(row)}", row["verdict"]
        yield from self.rewards(rows)
        yield from self.numbers(rows)

    def drawn(self, step: int, rows: list[Row]) -> Iterator[Fault]:
        """Compare problems, seeds and lengths of one step."""
        batch = epoch_rows(len(self.problems), self.train.prompts_per_batch, self.seed, step)
        for row in rows:
            problem = self.problems[batch[row["group"]]]
            if (row["problem"], row["gold"]) != (problem.id, problem.answer):
                yield f"the problem that the seed draws {place(row)}", row["problem"]
            if row["text"] != self.tokenizer.decode(row["tokens"], skip_special_tokens=True):
                yield f"the text of its tokens {place(row)}", row["text"]
            index = row["group"] * self.train.group_size + row["sample"]
            if row["seed"] != derive_seed(self.seed, "rollout", step, index):
                yield f"a draw from seed {self.seed} {place(row)}", str(row["seed"])
            if (count := len(row["tokens"])) > self.limit:
                yield f"at most {self.limit} tokens {place(row)}", str(count)
        total = sum(len(row["tokens"]) for row in rows)
        most = self.log.get(step, {}).get("tokens", 0)
        if total > most:
            yield f"at most the {most} tokens of the log", str(total)

    def rewards(self, rows: list[Row]) -> Iterator[Fault]:
        """Compare rewards with verdicts (and draws) and advantages with rewards."""
        size = self.train.group_size
        for step, of_step in groupby(rows, key=itemgetter("step")):
            kept = {row["group"] * size + row["sample"]: row for row in of_step}
            right = np.zeros(self.train.prompts_per_batch * size, dtype=bool)
            right[list(kept)] = [row["verdict"] == Verdict.CORRECT for row in kept.values()]
            wanted = draw_rewards(right, self.train, self.seed, step, self.credits(kept)).tolist()
            for i, row in kept.items():
                if row["reward"] != wanted[i]:
                    yield f"reward {wanted[i]} {place(row)}", str(row["reward"])
        groups = torch.tensor([row["reward"] for row in rows]).view(-1, size)
        meant = group_relative(groups, self.train.normalize_std).flatten()
        found = torch.tensor([row["advantage"] for row in rows])
        for i in (~torch.isclose(meant, found, atol=1e-5)).nonzero().flatten().tolist()[:1]:
            yield f"advantage {meant[i]} {place(rows[i])}", str(rows[i]["advantage"])

    def credits(self, kept: dict[int, Row]) -> list[float] | None:
        """Return what completions of a step are worth by their steps, 0 for those not kept."""
        if self.credit is None:
            return None
        credits = [0.0] * (self.train.prompts_per_batch * self.train.group_size)
        for i, row in kept.items():
            credits[i] = self.credit(self.by_id[row["problem"]], row["text"])
        return credits

    def numbers(self, rows: list[Row]) -> Iterator[Fault]:
        """Compare lengths and bounds of the numbers of tokens, and weights with the objective."""
        for row in rows:
            lengths = {None if row[name] is None else len(row[name]) for name in NUMBERS}
            if lengths not in ({None}, {len(row["tokens"])}):
                yield f"{len(row['tokens'])} numbers of tokens {place(row)}", str(lengths)
                return
            if row["advantage"] and lengths == {None}:
                yield f"numbers of the tokens that are learned from {place(row)}", "none"
                return
        read = [row for row in rows if row["log_prob"]]
        if not read:
            return
        old, new, weight = (padded([row[name] for row in read]) for name in NUMBERS)
        if not all(bool(torch.isfinite(x).all()) for x in (old, new, weight)):
            yield "finite numbers of tokens", "others"
        elif max(old.max(), new.max()) > 1e-5:
            yield "log-probabilities of at most 0", str(max(old.max().item(), new.max().item()))
        elif not self.variant.startswith(NOT_BY_TOKEN):
            yield from self.weights(read, old, new, weight)

    def weights(self, rows: list[Row], old: Tensor, new: Tensor, weight: Tensor) -> Iterator[Fault]:
        """Compare the gradient weights with those of the run's objective."""
        lengths = torch.tensor([len(row["tokens"]) for row in rows])
        mask = torch.arange(old.shape[1]) < lengths[:, None]
        advantages = torch.tensor([row["advantage"] for row in rows])[:, None].expand(old.shape)
        wanted = torch.zeros_like(weight)
        scheduled = build_scheduled(self.variant)
        for step, places in groupby(range(len(rows)), key=lambda i: rows[i]["step"]):
            part = list(places)
            objective, _ = scheduled.at(step, self.train.steps, self.log.get(step - 1))
            fields = (new[part], old[part], advantages[part], mask[part])
            wanted[part] = objective(PolicyBatch(*fields)).weight
        odd = (~torch.isclose(wanted, weight, rtol=1e-3, atol=1e-5)).nonzero().tolist()
        for i, token in odd[:1]:
            found = str(weight[i, token].item())
            yield f"weight {wanted[i, token]} of token {token} {place(rows[i])}", found


@cache
def tokenizer(policy: Path) -> PreTrainedTokenizerBase:
    """Return the tokenizer of a base policy, which its runs share."""
    from maspo.policy import load_tokenizer

    return load_tokenizer(policy)


@cache
def problems(file: Path) -> list[Problem]:
    """Return the training problems, which all runs share."""
    return read_problems(file)


def padded(rows: list[list[float]]) -> Tensor:
    """Return lists of numbers as one (B, T) tensor with zeros behind their ends."""
    return torch.nn.utils.rnn.pad_sequence([torch.tensor(row) for row in rows], batch_first=True)


def place(row: Row) -> str:
    """Return which completion a row is of."""
    return f"of group {row['group']}, sample {row['sample']}, step {row['step']}"
