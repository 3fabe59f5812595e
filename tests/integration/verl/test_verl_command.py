"""The command of a run at scale `paper`, read by verl's own configuration."""

import pytest
from omegaconf import OmegaConf
from verl.utils.config import omega_conf_to_dataclass, validate_config
from verl.utils.dataset.rl_dataset import RLHFDataset
from verl_case import compose_config

from maspo.config import build_objective, load_experiment
from maspo.integrations.verl.data import write_verl_problems
from maspo.integrations.verl.overrides import verl_overrides
from maspo.policy import load_policy

SCALES = ("paper", "paper_7b", "paper_14b")
# maspo_paper has settings without a value; the others need the entropy and batch-wide bounds.
VARIANTS = ("maspo_alpha_0.5", "maspo_paper", "grpo", "entropy_adv", "bapo", "sapo")


@pytest.fixture
def problems(modular_problems, tmp_path):
    """Return a file of problems in verl's layout."""
    write_verl_problems(tmp_path / "problems.parquet", modular_problems)
    return tmp_path / "problems.parquet"


def verl_config(scale, variant, policy_folder, problems, tmp_path):
    experiment = load_experiment([f"scale={scale}", f"variant={variant}", "seed=1"])
    overrides = verl_overrides(experiment, policy_folder, problems, tmp_path / "it's here, too")
    return experiment, compose_config(*overrides)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("scale", SCALES)
def test_verl_takes_the_command(scale, variant, policy_folder, problems, tmp_path):
    experiment, config = verl_config(scale, variant, policy_folder, problems, tmp_path)
    validate_config(config, use_reference_policy=False, use_critic=False)
    actor = omega_conf_to_dataclass(config.actor_rollout_ref.actor)
    objective = build_objective(variant)
    assert actor.policy_loss.objective == objective
    assert config.actor_rollout_ref.actor.calculate_entropy == objective.needs_entropy
    assert actor.ppo_mini_batch_size == 32
    assert config.actor_rollout_ref.actor.optim.lr == experiment.train.lr
    assert config.trainer.default_local_dir == str(tmp_path / "it's here, too")
    omega_conf_to_dataclass(config.actor_rollout_ref.rollout)


def test_verl_reads_our_problems(policy_folder, problems, modular_problems, tmp_path):
    _, config = verl_config("paper", "grpo", policy_folder, problems, tmp_path)
    tokenizer = load_policy(policy_folder)[1]
    OmegaConf.set_struct(config.data, False)
    dataset = RLHFDataset(str(problems), tokenizer, config.data)
    assert len(dataset) == len(modular_problems)
    row = dataset[3]
    assert row["raw_prompt"] == list(modular_problems[3].messages)
    assert row["reward_model"]["ground_truth"] == modular_problems[3].answer
