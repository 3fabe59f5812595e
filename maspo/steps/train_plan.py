"""What the train step asks before it starts: is there a GPU, and does the run fit it?"""

from pathlib import Path

import torch

from maspo.config import Experiment
from maspo.errors import ConfigError
from maspo.layout import BASE_VARIANT, Layout
from maspo.plan import architecture_of, check_memory, describe
from maspo.plan.local import longest
from maspo.policy import check_device

SHORT = 1024  # tokens; at 12 heads the scores of one sequence are 50 MB. Assumed


def print_plan(experiment: Experiment) -> None:
    """Print tokens, memory and (on a GPU) time of one run; start nothing."""
    if experiment.engine.kind != "local":
        raise ConfigError(
            f"--plan is for engine=local, not {experiment.engine.kind!r}: docs/paper_scale.md has "
            "the arithmetic of the scales that verl trains"
        )
    print(describe(architecture_of(experiment), experiment), end="")


def check_precision(experiment: Experiment) -> None:
    """Refuse float32 products over long contexts on a GPU.

    Flash attention takes none, and what torch takes instead, without a word, holds every score:
    heads x length^2 numbers a sequence, several times over.

    Raises:
        ConfigError: the longest prompt and completion are over `SHORT` tokens.
    """
    tokens = longest(experiment)
    if experiment.train.precision == "float32" and tokens > SHORT:
        raise ConfigError(
            f"train.precision='float32' with contexts of {tokens:,} tokens: flash attention takes "
            "no float32, and attention without it needs memory that grows with the square of "
            f"the length (up to {SHORT:,} tokens are allowed): set train.precision=bfloat16 "
            "train.logits_chunk=4096"
        )


def check_machine(experiment: Experiment) -> None:
    """Refuse a run that this machine cannot do, before anything is loaded.

    Raises:
        ConfigError: no GPU where one is asked for, too little memory on it, products that no flash
            kernel takes, or weights in which
            small updates are lost.
    """
    model = experiment.model
    if model.dtype != "float32":
        raise ConfigError(
            f"model.dtype={model.dtype!r}: engine=local trains float32 weights, since an update of "
            f"train.lr={experiment.train.lr:g} is lost on others; set model.dtype=float32, and "
            "train.precision=bfloat16 for fast products"
        )
    check_device(model.device)
    if model.device == "cuda":
        check_precision(experiment)
        memory = torch.cuda.get_device_properties(0).total_memory
        base = Layout(Path(experiment.results)).policy(BASE_VARIANT, experiment.base_seed)
        check_memory(architecture_of(experiment, base), experiment, memory)
