"""Building, loading and saving a policy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
    Qwen2Config,
    Qwen2ForCausalLM,
)
from transformers.utils import logging

from maspo.errors import ConfigError, DataError
from maspo.files import atomic
from maspo.layout import missing

logging.disable_progress_bar()  # its bars for files of a megabyte fill the logs


def build_policy(
    architecture: dict[str, Any], tokenizer: PreTrainedTokenizerBase, seed: int
) -> Qwen2ForCausalLM:
    """Return a freshly initialised Qwen2-architecture policy.

    Args:
        architecture: fields of `transformers.Qwen2Config`, without the vocabulary's.
        tokenizer: fixes the vocabulary size, padding and end token.
        seed: of the initial weights; the caller's random state is left as it was.

    Raises:
        ConfigError: an architecture that Qwen2Config or the model refuses.
    """
    known = set(Qwen2Config().to_dict())
    if unknown := set(architecture) - known:
        raise ConfigError(
            f"model.architecture has {sorted(unknown)}, which Qwen2Config does not: "
            f"valid are {sorted(known)}"
        )
    config = Qwen2Config(
        **architecture,
        vocab_size=len(tokenizer),
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
        bos_token_id=None,
        tie_word_embeddings=True,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Qwen2ForCausalLM(config)


def make_checkpoints(policy: PreTrainedModel) -> None:
    """Let a policy in training mode keep one state a layer, and compute the rest again."""
    # transformers 6 drops the second name; early releases of 5 lack the first.
    enable = getattr(policy, "activation_checkpointing_enable", None)
    (enable or policy.gradient_checkpointing_enable)({"use_reentrant": False})


@contextmanager
def training_mode(policy: PreTrainedModel, wanted: bool = True) -> Iterator[None]:
    """Hold a policy in training mode for a block, and in the mode that it had again behind it.

    transformers makes the checkpoints of `make_checkpoints` in this mode alone, and keeps no keys
    and values while it does, which sampling needs. `wanted` false changes nothing.
    """
    before = policy.training
    policy.train(before or wanted)
    try:
        yield
    finally:
        policy.train(before)


def check_device(device: str) -> None:
    """Refuse a device that this machine lacks, before anything is loaded.

    Raises:
        ConfigError: `device` is ``cuda`` and there is no CUDA device.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError(
            "model.device='cuda', but torch finds no CUDA device here: run this step on a machine "
            "with an NVIDIA GPU and a CUDA build of torch; scale=mini needs none"
        )


def end_tokens(policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Return the tokens that end a completion: the tokenizer's, then others that the policy names.

    Chat models name several in their generation_config.json: the end of a turn and of a text.
    """
    generation = policy.generation_config
    named = [] if generation is None else generation.eos_token_id
    if named is None or isinstance(named, int):
        named = [] if named is None else [named]
    return list(dict.fromkeys([tokenizer.eos_token_id, *named]))


def load_policy(
    folder: Path | str, dtype: str = "float32", device: str = "cpu"
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a policy and its tokenizer from a folder in Hugging Face format.

    Raises:
        DataError: the folder is missing, incomplete or truncated; the message names it.
    """
    if not (Path(folder) / "config.json").is_file():
        raise DataError(f"{folder} holds no policy: {missing(Path(folder) / 'config.json')}")
    try:
        policy = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), trust_remote_code=False
        )
        return policy.to(device), load_tokenizer(folder)
    except Exception as error:  # safetensors and transformers raise many types for a cut file
        raise DataError(
            f"the policy in {folder} cannot be loaded ({type(error).__name__}: {error}); "
            "delete the folder and run the step that makes it"
        ) from error


def load_tokenizer(folder: Path | str) -> PreTrainedTokenizerBase:
    """Load the tokenizer of a policy; DataError if it cannot be read."""
    try:
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:
        raise DataError(
            f"the tokenizer in {folder} cannot be loaded ({type(error).__name__}: {error})"
        ) from error


def save_policy(
    folder: Path | str, policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> None:
    """Write a policy and its tokenizer to a folder in Hugging Face format, atomically."""
    with atomic(folder, SafetensorError) as temporary:
        policy.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)
