"""verl finds the objectives by itself, and its own configuration takes our settings."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hydra.errors import InstantiationException
from verl.trainer.ppo.core_algos import POLICY_LOSS_REGISTRY
from verl.trainer.ppo.reward import get_custom_reward_fn
from verl.utils.config import omega_conf_to_dataclass, validate_config
from verl_case import ACTOR, METHODS, OURS, actor_config, compose_config, method_overrides

from maspo.config import build_scheduled, hydra_value, objective_settings, options
from maspo.objectives import make

VERLS = ("vanilla", "gspo", "sapo", "cispo")


def registry(**environment):
    """Return the policy losses that a fresh process knows after `import verl` alone."""
    code = (
        "import verl\n"
        "from verl.trainer.ppo.core_algos import POLICY_LOSS_REGISTRY\n"
        "print('names:', *POLICY_LOSS_REGISTRY)"
    )
    clean = {
        k: v for k, v in os.environ.items() if k not in ("VERL_USE_EXTERNAL_MODULES", "PYTHONPATH")
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**clean, "VERL_PLATFORM": "", **environment},
        capture_output=True,
        text=True,
        check=True,
        cwd="/",
    )
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("names: ")]
    return line.split()[1:]


def test_installed_package_is_discovered():
    known = registry()
    assert {f"maspo.{method}" for method in METHODS} <= set(known)
    assert {"maspo", "grpo", "clip_higher", "dac", "bapo", "entropy_adv"} <= set(known)
    assert not {"maspo", "maspo.maspo"} & set(registry(VERL_USE_EXTERNAL_PLUGINS="none"))


@pytest.mark.parametrize("name", VERLS)
def test_verls_objectives_are_not_replaced(name):
    assert POLICY_LOSS_REGISTRY[name].__module__ == "verl.trainer.ppo.core_algos"


@pytest.mark.parametrize("variant", options("objective"))
def test_every_objective_of_the_project_composes_and_instantiates(variant):
    settings = objective_settings(variant)
    method = settings.pop("_target_").split(".")[-2]
    written = {name: hydra_value(value) for name, value in settings.items()}
    actor = actor_config(*method_overrides(method, **written))
    assert actor.policy_loss.scheduled == build_scheduled(variant)


def test_whole_configuration_passes_verls_own_validation(policy_folder, capsys):
    config = compose_config(
        *method_overrides("maspo", alpha=0.5),
        f"actor_rollout_ref.model.path={policy_folder}",
        "actor_rollout_ref.rollout.log_prob_micro_batch_size_per_gpu=2",
        "algorithm.adv_estimator=grpo",
    )
    validate_config(config, use_reference_policy=False, use_critic=False)
    assert "passed" in capsys.readouterr().out
    assert (
        omega_conf_to_dataclass(config.actor_rollout_ref.actor).policy_loss.objective.alpha == 0.5
    )


@pytest.mark.parametrize(
    ("method", "settings", "message"),
    [
        ("maspo", {"alfa": 0.5}, "alfa"),
        ("maspo", {"alpha": -1}, "Maspo.alpha must be"),
        ("grpo", {"clip_low": "wide"}, "Grpo.clip_low must be"),
        ("sapo", {"alpha": 0.5}, "alpha"),
        ("maspo", {"alpha": "{schedule:linear,from:0.5}"}, "linear schedule has"),
        (
            "maspo",
            {"alpha": "{schedule:steered,from:0,by:reward,target:1,rate:1,low:0,high:1}"},
            "'reward', which verl's workers do not know",
        ),
    ],
)
def test_wrong_setting_is_refused_by_name(method, settings, message):
    with pytest.raises(InstantiationException, match=message):
        actor_config(*method_overrides(method, **settings))


def test_unknown_field_and_unknown_method_are_refused_by_name():
    with pytest.raises(InstantiationException, match="ratio_clip"):
        actor_config(*method_overrides("maspo"), f"+{ACTOR}.policy_loss.ratio_clip=0.2")
    with pytest.raises(InstantiationException, match="'mapso' is no method"):
        actor_config(OURS, f"{ACTOR}.policy_loss.loss_mode=mapso")
    with pytest.raises(InstantiationException, match=r"'sapo' is no method.*maspo\.sapo"):
        actor_config(OURS, f"{ACTOR}.policy_loss.loss_mode=sapo")


def test_the_lines_of_the_documentation_work_as_written():
    """The overrides of docs/integrations.md, handed to verl's own configuration."""
    page = (Path(__file__).parents[3] / "docs" / "integrations.md").read_text()
    (command,) = re.findall(r"^python -m verl.trainer.main_ppo \.\.\. (.*?)^```", page, re.M | re.S)
    lines = [line for line in command.replace("\\\n", "\n").split() if line]
    config = compose_config("actor_rollout_ref.rollout.n=2", *lines)
    actor = omega_conf_to_dataclass(config.actor_rollout_ref.actor)
    assert len(lines) == 5
    assert actor.policy_loss.objective == make("maspo", alpha=0.5)
    grade = get_custom_reward_fn(config)
    assert grade("math", "so \\boxed{12}", "12")["score"] == 1.0
