"""What verl loads by itself through the entry point `verl.plugins`.

Every method is registered as `maspo.<method>`, and under its own name where verl has no objective
of that name: `policy_loss.loss_mode=maspo`, but `maspo.sapo`, since `sapo` stays verl's.
"""

from functools import partial

from verl.trainer.ppo.core_algos import POLICY_LOSS_REGISTRY, register_policy_loss

from maspo.integrations.verl.loss import policy_loss
from maspo.objectives import names


def register_all() -> None:
    """Enter all methods into verl's registry of policy losses."""
    for method in names():
        for name in (f"maspo.{method}", method):
            if name not in POLICY_LOSS_REGISTRY:
                register_policy_loss(name)(partial(policy_loss, method))


register_all()
