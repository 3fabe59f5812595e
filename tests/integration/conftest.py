"""What the tests against verl and TRL share."""

import pytest


@pytest.fixture(scope="session")
def half_trained():
    """Return a function that trains a small base policy until it knows its task halfway."""
    from maspo.policy import build_policy, save_policy
    from maspo.tasks.chain import make_chain
    from maspo.training.supervised import train_base

    def train(experiment, tokenizer, folder):
        policy = build_policy(experiment.model.architecture, tokenizer, seed=1)
        problems = make_chain(experiment.task).training
        folder.mkdir(parents=True, exist_ok=True)
        train_base(policy, tokenizer, problems, experiment.model.supervised, folder)
        save_policy(folder / "policy", policy, tokenizer)
        return folder / "policy"

    return train
