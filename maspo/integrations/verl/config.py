"""The settings of an objective as a field of verl's configuration.

Only a configuration that names `PolicyLoss` imports this module, and only there the worker that
serves batch-wide pieces is put in place: a verl run with an objective of its own stays as verl
made it.
"""

from dataclasses import dataclass, field
from typing import Any

from verl.workers.config.actor import PolicyLossConfig

from maspo.integrations.verl.worker import install
from maspo.objectives import Objective, make, names
from maspo.objectives.schedules import Scheduled, check_steering, read_settings

PREFIX = "maspo."

install()


def method_of(loss_mode: str) -> str | None:
    """Return the method that a `loss_mode` of verl names, None if it is one of verl's own."""
    from verl.trainer.ppo.core_algos import POLICY_LOSS_REGISTRY

    method = loss_mode.removeprefix(PREFIX)
    if method not in names():
        return None
    registered = POLICY_LOSS_REGISTRY.get(loss_mode)
    return method if getattr(registered, "args", None) == (method,) else None


@dataclass
class PolicyLoss(PolicyLossConfig):
    """`actor.policy_loss` of verl with the settings of one of our methods.

        actor_rollout_ref.actor.policy_loss._target_=maspo.integrations.verl.config.PolicyLoss
        actor_rollout_ref.actor.policy_loss.loss_mode=maspo
        +actor_rollout_ref.actor.policy_loss.settings.alpha=0.5

    Attributes:
        loss_mode: `maspo.<method>`, or the bare method where verl has none of that name.
        settings: fields of the method (`configs/objective/`); what is not set has its default.
            `aggregation` among them rules, as in verl's own SAPO; `actor.loss_agg_mode` only
            concerns verl's entropy and KL terms.

    A number of `settings` may have a schedule (`maspo.objectives.schedules`). What is steered
    follows a metric of the objective, or `entropy`, the policy's mean over the updates of a step.

    Raises:
        ValueError: `loss_mode` is none of our methods, or a setting is out of range.
        TypeError: the method has no such setting, or it has the wrong type.
    All of them name the setting, and Hydra adds where it stands.
    """

    loss_mode: str = "maspo"
    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        method = method_of(self.loss_mode)
        if method is None:
            raise ValueError(
                f"policy_loss.loss_mode={self.loss_mode!r} is no method of maspo: valid are "
                f"{[PREFIX + name for name in names()]}"
            )
        first, schedules = read_settings(self.settings)
        self.scheduled = Scheduled(make(method, **first), schedules)
        check_steering(self.scheduled)
        self.objective: Objective = self.scheduled.first
