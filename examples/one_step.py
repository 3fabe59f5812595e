"""The RL loop in plain Python: a base policy, three rollout batches, MASPO's updates on each.

It reads what a build at scale smoke leaves:

    snakemake --cores all --config scale=smoke    # makes problems and a base policy
    python examples/one_step.py results/smoke
"""

import sys
from pathlib import Path

from maspo.config import load_experiment
from maspo.errors import MaspoError
from maspo.policy import load_policy
from maspo.sampling.transformers import TransformersSampler
from maspo.tasks import read_problems
from maspo.training.loop import Trainer
from maspo.verifier import Verifier

results = Path(sys.argv[1])
experiment = load_experiment(["scale=smoke", "variant=maspo", "seed=1"])
try:
    policy, tokenizer = load_policy(results / "base" / "seed_1" / "policy")
    problems = read_problems(results / "data" / "train.parquet")
except MaspoError as error:
    sys.exit(f"error: {error}")
sampler = TransformersSampler(policy, tokenizer, batch_size=256)
with Verifier(rules=experiment.task.extraction) as verifier:
    trainer = Trainer.of(experiment, policy, tokenizer, problems, sampler, verifier)
    for step in (1, 2, 3):
        metrics, seconds = trainer.step(step)
        print(f"step {step}: reward {metrics['reward']:.2f}, entropy {metrics['entropy']:.2f} nats")
