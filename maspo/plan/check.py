"""Does a run fit this machine? Asked before anything is loaded."""

from pathlib import Path
from typing import Any

from transformers import AutoConfig

from maspo.config import BuiltModel, Experiment, PretrainedModel
from maspo.errors import ConfigError
from maspo.plan.hardware import POLICIES, Architecture
from maspo.plan.local import memory_phases
from maspo.plan.text import USABLE


def architecture_of(experiment: Experiment, base: Path | None = None) -> Architecture:
    """Return the policy's architecture: of the base policy if it is there, else of the settings.

    Raises:
        ConfigError: the policy is neither there nor one of the paper's, nor can its config.json be
            had from the hub.
    """
    model = experiment.model
    if base and (base / "config.json").is_file():
        config = AutoConfig.from_pretrained(base, trust_remote_code=False)
        return Architecture.of(config.to_dict())
    if isinstance(model, BuiltModel):
        vocabulary = len(experiment.task.characters) + 2  # maspo.policy.build_tokenizer
        config = {"vocab_size": vocabulary, "tie_word_embeddings": True, **model.architecture}
        return Architecture.of(config)
    for size, architecture in POLICIES.items():
        if model.path == f"deepseek-ai/DeepSeek-R1-Distill-Qwen-{size}":
            return architecture
    return Architecture.of(_published_config(model))


def _published_config(model: PretrainedModel) -> dict[str, Any]:
    """Return the config.json of a folder, else of the hub or its cache."""
    pin = {} if Path(model.path).is_dir() else {"revision": model.revision}
    try:
        return AutoConfig.from_pretrained(model.path, trust_remote_code=False, **pin).to_dict()
    except Exception as error:  # no network, no such id or revision, a cut file: many types
        reason = str(error).strip().partition("\n")[0]
        raise ConfigError(
            f"model.path={model.path!r}, model.revision={model.revision!r}: no config.json there "
            f"({type(error).__name__}: {reason}). It must be a folder in Hugging Face format or an "
            "id on the hub; another id than the scale's has another revision (main, or a commit)"
        ) from error


def check_memory(policy: Architecture, experiment: Experiment, memory: float) -> None:
    """Refuse a run that a GPU of `memory` bytes cannot hold.

    Raises:
        ConfigError: a phase needs more; the message names its largest parts and what to change.
    """
    for phase, parts in memory_phases(policy, experiment, memory).items():
        if (need := sum(parts.values())) <= USABLE * memory:
            continue
        largest = sorted(parts, key=parts.get, reverse=True)[:3]
        found = ", ".join(f"{part} {parts[part] / 1e9:.1f} GB" for part in largest)
        if phase == "sampling":
            remedy = "a smaller sampler.memory_share (vllm) or sampler.batch_size (transformers)"
        else:
            remedy = (
                "a smaller train.micro_batch_tokens or train.logits_chunk, "
                "train.gradient_checkpointing=true, train.precision=bfloat16, sampler.sleep=true"
            )
        raise ConfigError(
            f"{phase} needs about {need / 1e9:.1f} GB and this GPU has {memory / 1e9:.1f} GB, of "
            f"which {USABLE:.0%} count ({found}): set {remedy}; or take a larger GPU, a smaller "
            "policy, or scale=paper for more than one. --plan prints all parts"
        )
