"""A real training of a small policy with MASPO, by TRL and by our loop."""

import copy
import json
import re
from pathlib import Path

import pytest
import torch
from transformers import TrainerCallback
from trl_case import make_trainer, rows

from maspo.config import build_scheduled, load_experiment
from maspo.objectives import make
from maspo.objectives.schedules import Ramp, Scheduled, Steered
from maspo.policy import build_tokenizer, encode_prompts, load_policy
from maspo.sampling.transformers import TransformersSampler
from maspo.tasks.modular import make_modular
from maspo.training.loop import Trainer
from maspo.verifier import Verifier

STEPS = 16
SETTINGS = [
    "task.train_lengths=[2,3]",
    "task.train_problems=256",
    "model.supervised.steps=600",
    "train.lr=1e-4",
    "train.prompts_per_batch=16",
    "train.updates_per_batch=4",
    f"train.steps={STEPS}",
    "train.lr_schedule=constant",
    "train.snapshots=[]",
]


@pytest.fixture(scope="module")
def experiment():
    """Return the mini scale, cut down."""
    return load_experiment(["scale=mini", *SETTINGS])


@pytest.fixture(scope="module")
def problems(experiment):
    """Return sixteen training problems: every batch holds them all, so rewards compare."""
    return make_modular(experiment.task).training[:16]


@pytest.fixture(scope="module")
def base(experiment, half_trained, tmp_path_factory):
    """Return the folder of a base policy that knows the task halfway."""
    tokenizer = build_tokenizer(experiment.task.characters)
    return half_trained(experiment, tokenizer, tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="module")
def rewards_of_our_loop(experiment, problems, base):
    """Return the mean reward of every step of our own loop."""
    policy, tokenizer = load_policy(base)
    with Verifier(workers=1, rules=experiment.task.extraction) as verifier:
        trainer = Trainer(
            policy=policy,
            tokenizer=tokenizer,
            objective=make("maspo"),
            sampler=TransformersSampler(policy, tokenizer, experiment.sampler.batch_size),
            verifier=verifier,
            problems=problems,
            prompts=encode_prompts(tokenizer, problems, experiment.task.max_prompt_tokens),
            settings=experiment.train,
            max_tokens=experiment.task.max_completion_tokens,
            seed=1,
        )
        return [trainer.step(step)[0]["reward"] for step in range(1, STEPS + 1)]


def log_of_trl(experiment, problems, base, folder, steps, accumulation):
    """Return TRL's log of the same training, a row a generation, with micro-batches or without."""
    train = experiment.train
    completions = train.prompts_per_batch * train.group_size
    update = completions // train.updates_per_batch
    policy, tokenizer = load_policy(base)
    trainer = make_trainer(
        policy,
        tokenizer,
        problems,
        folder,
        "maspo",
        num_generations=train.group_size,
        per_device_train_batch_size=update // accumulation,
        gradient_accumulation_steps=accumulation,
        steps_per_generation=train.updates_per_batch * accumulation,
        max_completion_length=experiment.task.max_completion_tokens,
        max_steps=steps * train.updates_per_batch,
        learning_rate=train.lr,
        adam_beta2=train.betas[1],
        weight_decay=train.weight_decay,
        logging_steps=train.updates_per_batch,
    )
    trainer.train()
    log = [row for row in trainer.state.log_history if "objective/ratio_max" in row]
    assert len(log) == steps
    return log


def mean(values):
    return sum(values) / len(values)


def test_trl_trains_as_our_loop_does(experiment, problems, base, tmp_path, rewards_of_our_loop):
    log = log_of_trl(experiment, problems, base, tmp_path, STEPS, accumulation=1)
    ours, theirs = rewards_of_our_loop, [row["reward"] for row in log]
    print("ours  ", [round(reward, 2) for reward in ours])
    print("theirs", [round(reward, 2) for reward in theirs])
    early, late = slice(0, 2), slice(-4, None)
    assert mean(ours[late]) > mean(ours[early]) + 0.1
    assert mean(theirs[late]) > mean(theirs[early]) + 0.1
    assert mean(theirs[late]) == pytest.approx(mean(ours[late]), abs=0.1)
    # Several updates a generation: the policy moves away from the one that sampled.
    assert all(row["objective/ratio_max"] > 1.01 for row in log)
    assert any(row["objective/gated_fraction"] > 0 for row in log)


def test_training_with_micro_batches_is_the_same_training(experiment, problems, base, tmp_path):
    whole, cut = (
        log_of_trl(experiment, problems, base, tmp_path, 2, accumulation) for accumulation in (1, 2)
    )
    for one, other in zip(whole, cut, strict=True):
        assert other["grad_norm"] == pytest.approx(one["grad_norm"], rel=1e-2)
        assert other["reward"] == pytest.approx(one["reward"], abs=0.02)


def test_a_training_that_was_stopped_goes_on_from_trls_checkpoint(
    tiny_policy, modular_problems, tmp_path
):
    """TRL writes its whole log as JSON into each checkpoint, so a tensor there ends the run."""

    def trained(folder, steps, resume=None):
        policy, tokenizer = copy.deepcopy(tiny_policy)
        changed = {"save_strategy": "steps", "save_steps": 2, "max_steps": steps}
        trainer = make_trainer(policy, tokenizer, modular_problems, folder, "maspo", **changed)
        trainer.train(resume_from_checkpoint=resume)
        return trainer

    whole = trained(tmp_path / "whole", 4)
    trained(tmp_path / "cut", 2)
    resumed = trained(tmp_path / "cut", 4, resume=True)
    assert resumed.state.global_step == 4
    for name, weight in whole.model.named_parameters():
        torch.testing.assert_close(resumed.model.get_parameter(name), weight, msg=name)
    log = json.loads((tmp_path / "cut" / "checkpoint-4" / "trainer_state.json").read_text())
    rows = [row for row in log["log_history"] if "entropy" in row]
    assert len(rows) == 4
    assert all(type(row["entropy"]) is float and row["entropy"] > 0 for row in rows)


@pytest.fixture
def generations(tiny_policy, modular_problems, tmp_path):
    """Return a function that takes six updates, two for each generation, and returns the log."""

    def train(name, scheduled, steps=6, resume=None, **changed):
        policy, tokenizer = copy.deepcopy(tiny_policy)
        trainer = make_trainer(
            *(policy, tokenizer, modular_problems, tmp_path / name, scheduled),
            **{"steps_per_generation": 2, "max_steps": 6, "save_strategy": "steps"}
            | {"save_steps": 2, **changed},
        )
        if steps < 6:
            trainer.add_callback(StopAt(steps))
        trainer.train(resume_from_checkpoint=resume)
        rows = [row for row in trainer.state.log_history if "objective/setting_alpha" in row]
        assert trainer.objective.alpha == rows[-1]["objective/setting_alpha"]
        return rows

    return train


def alphas(rows):
    return [row["objective/setting_alpha"] for row in rows]


def test_a_setting_falls_from_generation_to_generation_and_on_after_a_resume(generations):
    falling = Scheduled(make("maspo", alpha=0.5), {"alpha": Ramp(0.5, 0.0)})
    falls = [0.5, 0.5, 0.25, 0.25, 0.0, 0.0]
    assert alphas(generations("whole", falling)) == falls
    assert alphas(generations("cut", falling, steps=2)) == falls[:2]
    assert alphas(generations("cut", falling, resume=True)) == falls


STEERED = Steered(0.3, by="entropy", target=1.0, rate=0.1, low=0.0, high=1.0)


def test_a_steered_setting_follows_the_log_and_does_so_after_a_resume(generations):
    steered = Scheduled(make("maspo"), {"alpha": STEERED})
    rows = generations("whole", steered, logging_steps=2)
    expected = [0.3]
    for row in rows[:-1]:
        expected.append(expected[-1] + 0.1 * (row["entropy"] - 1))
    assert len(set(expected)) == 3
    assert alphas(rows) == pytest.approx(expected, abs=1e-12)
    generations("cut", steered, steps=2, logging_steps=2)
    resumed = generations("cut", steered, resume=True, logging_steps=2)
    assert alphas(resumed) == pytest.approx(alphas(rows))


class StopAt(TrainerCallback):
    """Ends a training early, its schedule left as it is."""

    def __init__(self, steps):
        self.steps = steps

    def on_step_end(self, args, state, control, **kwargs):
        control.should_training_stop = state.global_step >= self.steps


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"logging_steps": 1}, r"alpha.* follow .* logging_steps=2 .*not 'steps', 1"),
        ({"logging_first_step": True}, "logging_first_step=False"),
        ({"save_steps": 3}, "save_steps=3 must be a multiple of 2"),
        ({"steps_per_generation": 3, "gradient_accumulation_steps": 2}, "3 must be a multiple"),
    ],
)
def test_what_does_not_go_with_generations_is_refused(generations, changed, message):
    steered = build_scheduled("maspo_alpha_steered")
    with pytest.raises(ValueError, match=message):
        generations("refused", steered, **({"logging_steps": 2} | changed))


def test_the_lines_of_the_documentation_work_as_written(problems, base, tmp_path):
    """The lines of docs/integrations.md, on a CPU and cut to two updates."""
    page = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text()
    (lines,) = re.findall(r"^```python\n(from trl .*?)^```", page, re.M | re.S)
    cut = "use_cpu=True, bf16=False, max_steps=2, max_completion_length=12, report_to=[], "
    lines = lines.replace("GRPOConfig(beta", f"GRPOConfig({cut}output_dir={str(tmp_path)!r}, beta")
    names = {"policy": str(base), "dataset": rows(problems)}
    exec(lines, names)
    assert names["trainer"].state.global_step == 2
    assert any("objective/gated_fraction" in row for row in names["trainer"].state.log_history)
