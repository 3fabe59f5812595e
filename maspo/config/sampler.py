"""Settings of what draws completions."""

from dataclasses import dataclass
from typing import ClassVar

from omegaconf import MISSING

from maspo.config.checks import Count, InnerShare, require, require_bounds


@dataclass
class Sampler:
    """How completions are drawn (`maspo.sampling`). `kind` chooses the subclass.

    Attributes:
        gives_log_probs: completions carry the sampler's own log-probabilities.
        repeatable: the same policy and seeds give the same completions on the same platform.
        own_engine: it holds weights of its own, on the device, beside the policy's.
    """

    gives_log_probs: ClassVar[bool]
    repeatable: ClassVar[bool]
    own_engine: ClassVar[bool]

    kind: str = MISSING


@dataclass
class TransformersSampler(Sampler):
    """The policy of this process decodes by itself (`maspo.sampling.transformers`)."""

    gives_log_probs = False
    repeatable = True
    own_engine = False

    batch_size: Count = MISSING  # completions decoded together
    decoder: str = "transformers"  # or fused: small Qwen2 policies on a CPU; older runs have none
    entropies: bool = False  # give them to the training log, which then reads fewer rows again

    def __post_init__(self) -> None:
        require_bounds(self, "sampler")
        known = ("transformers", "fused")
        require(self.decoder in known, "sampler.decoder", self.decoder, " or ".join(known))


@dataclass
class VllmSampler(Sampler):
    """An engine of vLLM in this process (`maspo.sampling.vllm`)."""

    gives_log_probs = True
    repeatable = False  # its batches form as requests end, and sums round with the batch
    own_engine = True

    dtype: str = MISSING  # of the engine's weights; the trained policy keeps its own
    memory_share: InnerShare = MISSING  # of the GPU that the engine may take; unused on a CPU
    max_num_seqs: Count = MISSING  # completions decoded together
    enable_prefix_caching: bool = MISSING  # completions of one prompt share its keys and values
    enforce_eager: bool = MISSING  # no CUDA graphs
    sleep: bool = MISSING  # give the GPU's memory back between two calls

    def __post_init__(self) -> None:
        known = ("float32", "bfloat16", "float16")
        require(self.dtype in known, "sampler.dtype", self.dtype, " or ".join(known))
        require_bounds(self, "sampler")
