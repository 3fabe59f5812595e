"""Published policies, from the Hugging Face hub or a folder."""

from pathlib import Path

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from maspo.config import PretrainedModel
from maspo.errors import DataError


def load_pretrained(
    model: PretrainedModel,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase, str | None]:
    """Return a published policy, its tokenizer, and the commit that the hub served.

    `model.path` is a folder, if there is one of that name, else an id on the hub; the commit of a
    folder is None. A tokenizer without a padding token pads with its end token.

    Raises:
        DataError: the policy cannot be had or read (the message says how to get it), or its
            tokenizer has no chat template.
    """
    local = Path(model.path).is_dir()
    pin = {"trust_remote_code": False, **({} if local else {"revision": model.revision})}
    try:
        tokenizer = AutoTokenizer.from_pretrained(model.path, **pin)
        policy = AutoModelForCausalLM.from_pretrained(
            model.path, dtype=getattr(torch, model.dtype), **pin
        )
    except Exception as error:  # no network, no such id, a cut file: many types
        reason = str(error).strip().partition("\n")[0]
        folder = f"models/{Path(model.path).name}"
        if local or model.path.startswith(("/", ".")):  # no id on the hub begins like that
            how = "The folder of scale smol is made by make reproduce SCALE=smol"
        else:
            how = (
                f"For a machine without the hub: hf download {model.path} --revision "
                f"{model.revision} --local-dir {folder}, then model.path={folder}"
            )
        raise DataError(
            f"model.path={model.path!r} is no policy that can be loaded ({type(error).__name__}: "
            f"{reason}); it must be a folder in Hugging Face format or an id on the hub. {how}"
        ) from error
    if tokenizer.chat_template is None:
        raise DataError(f"the tokenizer of model.path={model.path!r} has no chat template")
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    return policy, tokenizer, None if local else policy.config._commit_hash
