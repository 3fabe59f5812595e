"""An RL iteration of ours beside one of TRL's GRPOTrainer, in turn in one process.

    python -m benchmarks rl_step        # or, alone: python -m benchmarks.rl_step --iterations 20
    python -m benchmarks.rl_step sampler=fused                  # with other settings of ours

Both start from the mini base policy and get the same prompts, group size, lengths, updates,
learning rate and verifier, on one thread. Each then trains its own copy, so completions differ a
little: tokens a second are reported too. TRL runs without what costs it time and is on by default
(gradient checkpointing, bfloat16, shuffling, a learning rate schedule). Without TRL installed
(constraints/trl.txt) ours is measured alone.
"""

import argparse
import importlib.util
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import torch
from transformers import PreTrainedModel

from benchmarks.harness import Measurement, Report, ratios
from benchmarks.mini import deterministic, mini_results, mini_trainer
from maspo.training.loop import Trainer
from maspo.training.schedule import epoch_rows
from maspo.verifier import Verifier

PHASES = ("sample", "verify", "old_log_probs", "update", "other")
WARMUP = 2  # iterations
# TRL's methods, and the phase that each one's own seconds belong to. What is in none of them
# (optimizer, data loader, callbacks) is counted as update, with the loss and its gradient.
TRL_PHASES = {
    "_generate": "sample",
    "_calculate_rewards": "verify",
    "_generate_and_score_completions": "old_log_probs",  # old log-probabilities and advantages
}


class Ours:
    """Our trainer, an iteration at a time."""

    def __init__(self, trainer: Trainer) -> None:
        self.trainer = trainer
        self.rows: list[dict[str, float]] = []

    def iterate(self) -> None:
        """Run the next iteration and keep its seconds by phase."""
        start = time.process_time()
        with deterministic():
            metrics, timings = self.trainer.step(len(self.rows) + 1)
        cpu = time.process_time() - start
        self.rows.append({**timings, "cpu": cpu, "tokens": metrics["tokens"]})


class Theirs:
    """TRL's trainer; another side takes its turn after each of its iterations."""

    def __init__(self, ours: Trainer, policy: PreTrainedModel, iterations: int, turn: Callable):
        from trl import GRPOTrainer

        self.verifier, self.other_side = ours.verifier, turn
        self.rows: list[dict[str, float]] = []
        self.seconds: dict[str, float] = defaultdict(float)
        self.tokens = 0
        self.folder = tempfile.TemporaryDirectory()
        self.updates = ours.settings.updates_per_batch
        self.trainer = GRPOTrainer(
            model=policy,
            args=trl_settings(ours, iterations, self.folder.name),
            processing_class=ours.tokenizer,
            train_dataset=same_prompts(ours, iterations),
            reward_funcs=self.reward,
            callbacks=[self.callback()],
        )
        for method, phase in TRL_PHASES.items():
            setattr(self.trainer, method, self.timed(getattr(self.trainer, method), phase))

    def reward(
        self, completions: list[str], answer: list[str], completion_ids: list, **_: Any
    ) -> list[float]:
        """Grade with our verifier."""
        self.tokens = sum(map(len, completion_ids))
        return [verdict.reward for verdict in self.verifier.grade_many(completions, answer)]

    def timed(self, method: Callable, phase: str) -> Callable:
        """Count a method's seconds, less those of the counted methods inside it."""

        def call(*arguments: Any, **named: Any) -> Any:
            inside, start = sum(self.seconds.values()), time.perf_counter()
            result = method(*arguments, **named)
            elapsed = time.perf_counter() - start
            self.seconds[phase] += elapsed - (sum(self.seconds.values()) - inside)
            return result

        return call

    def callback(self) -> Any:
        """Close an iteration after its last update, give the other side its turn, go on."""
        from transformers import TrainerCallback

        theirs = self

        class Turns(TrainerCallback):
            def on_train_begin(self, *_: Any, **__: Any) -> None:
                theirs.open()

            def on_step_end(self, _: Any, state: Any, *__: Any, **___: Any) -> None:
                if state.global_step % theirs.updates == 0:
                    theirs.close()
                    theirs.other_side()
                    theirs.open()

        return Turns()

    def open(self) -> None:
        """An iteration begins."""
        self.start, self.cpu_start = time.perf_counter(), time.process_time()

    def close(self) -> None:
        """An iteration has ended: keep its seconds."""
        seconds = time.perf_counter() - self.start
        cpu = time.process_time() - self.cpu_start
        phases = {phase: self.seconds[phase] for phase in TRL_PHASES.values()}
        phases["update"] = seconds - sum(phases.values())
        self.rows.append(
            {
                "seconds": seconds,
                "cpu": cpu,
                **phases,
                "other": 0.0,
                "tokens": self.tokens,
                "tokens_per_second": self.tokens / seconds,
            }
        )
        self.seconds.clear()


def trl_settings(ours: Trainer, iterations: int, folder: str) -> Any:
    """Return TRL's configuration of our iteration."""
    from trl import GRPOConfig

    settings = ours.settings
    size = settings.prompts_per_batch * settings.group_size // settings.updates_per_batch
    return GRPOConfig(
        output_dir=folder,
        max_steps=iterations * settings.updates_per_batch,
        per_device_train_batch_size=size,
        gradient_accumulation_steps=1,
        steps_per_generation=settings.updates_per_batch,
        num_generations=settings.group_size,
        num_iterations=1,
        max_completion_length=ours.max_tokens,
        temperature=settings.temperature,
        learning_rate=settings.lr,
        lr_scheduler_type="constant",
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        beta=0.0,
        loss_type="dapo",  # token mean, as ours
        gradient_checkpointing=False,
        bf16=False,
        shuffle_dataset=False,
        use_cpu=True,
        seed=1,
        save_strategy="no",
        logging_steps=settings.updates_per_batch,
        disable_tqdm=True,
        report_to="none",
        dataloader_pin_memory=False,
    )


def same_prompts(ours: Trainer, iterations: int) -> Any:
    """Return a data set of the problems that our iterations draw, in their order."""
    from datasets import Dataset

    batch = ours.settings.prompts_per_batch
    rows = []
    for step in range(1, iterations + 1):
        rows += epoch_rows(len(ours.problems), batch, ours.seed, step)
    prompts = [ours.tokenizer.decode(ours.prompts[row]) for row in rows]
    return Dataset.from_dict(
        {"prompt": prompts, "answer": [ours.problems[row].answer for row in rows]}
    )


def compare(iterations: int, *overrides: str) -> dict[str, list[dict[str, float]]]:
    """Return the rows of each side, warm-up left out; `overrides` are of our settings."""
    total = iterations + WARMUP
    results = mini_results()
    with Verifier(rules=["equals"]) as verifier:
        ours = Ours(mini_trainer(results, verifier, *overrides))
        if importlib.util.find_spec("trl") is None:
            for _ in range(total):
                ours.iterate()
            return {"ours": ours.rows[WARMUP:]}
        twin = mini_trainer(results, verifier).policy
        theirs = Theirs(ours.trainer, twin, total, ours.iterate)
        theirs.trainer.log = lambda *_, **__: None  # it would print each iteration's metrics
        theirs.trainer.train()
    return {"ours": ours.rows[WARMUP:], "TRL": theirs.rows[WARMUP:]}


def report(sides: dict[str, list[dict[str, float]]]) -> Report:
    """Return the measurements of an alternating run."""
    found = []
    for side, rows in sides.items():
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        found.append(Measurement(f"iteration, {side}", columns["seconds"]))
        found += [Measurement(f"{phase}, {side}", columns[phase]) for phase in PHASES]
        found.append(Measurement(f"CPU seconds of an iteration, {side}", columns["cpu"]))
        speed = columns["tokens_per_second"]
        found.append(Measurement(f"tokens a second, {side}", speed, "/s", False))
        found.append(Measurement(f"tokens an iteration, {side}", columns["tokens"], ""))
    if "TRL" in sides:
        for name, label in {"seconds": "iteration", "cpu": "CPU seconds of an iteration"}.items():
            ours, theirs = ([row[name] for row in sides[side]] for side in ("ours", "TRL"))
            found.append(Measurement(f"{label}, TRL / ours", ratios(theirs, ours), "x", False))
        ours, theirs = ([r["tokens_per_second"] for r in sides[s]] for s in ("ours", "TRL"))
        found.append(Measurement("tokens a second, ours / TRL", ratios(ours, theirs), "x", False))
        text = (
            "512 completions (64 prompts of 8) and 16 updates an iteration, the two sides in turn "
            "in one process, one thread. TRL's old log-probabilities include its advantages; its "
            "updates include its optimizer, data loader and callbacks."
        )
    else:
        text = "TRL is not installed here (constraints/trl.txt): ours alone."
    return Report("RL iteration", found, text)


def measure(quick: bool) -> Report:
    """Ten iterations, or three."""
    return report(compare(3 if quick else 12))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=12)
    parser.add_argument("overrides", nargs="*", help="settings of ours, such as sampler=fused")
    options = parser.parse_args()
    torch.set_num_threads(1)
    for found in report(compare(options.iterations, *options.overrides)).measurements:
        row = found.summary()
        quartiles = f"[{row['low']:.4g}, {row['high']:.4g}]"
        print(f"{found.name:32} {row['median']:10.4g} {quartiles} {found.unit}")


if __name__ == "__main__":
    main()
