"""The sampler that the settings ask for."""

from collections.abc import Iterator
from contextlib import contextmanager

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from maspo.config import Experiment
from maspo.sampling.sampler import Sampler


@contextmanager
def make_sampler(
    experiment: Experiment, policy: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> Iterator[Sampler]:
    """Give a sampler of the policy's current weights; what it holds is released at the end.

    Raises:
        ConfigError: the sampler is vLLM's, which is not installed or cannot run this policy.
    """
    settings, task = experiment.sampler, experiment.task
    if settings.kind == "vllm":
        from maspo.sampling.vllm import VllmSampler

        context = task.max_prompt_tokens + task.max_completion_tokens
        with VllmSampler(policy, tokenizer, settings, context, experiment.model.device) as sampler:
            yield sampler
    else:
        from maspo.sampling.decoder import TransformersDecoder
        from maspo.sampling.fused import FusedDecoder
        from maspo.sampling.transformers import TransformersSampler

        decoder = FusedDecoder if settings.decoder == "fused" else TransformersDecoder
        how = (settings.batch_size, decoder, settings.entropies)
        yield TransformersSampler(policy, tokenizer, *how)
