"""Settings of what draws completions."""

from dataclasses import dataclass

from omegaconf import MISSING

from maspo.config.checks import Count, InnerShare, require, require_bounds


@dataclass
class Sampler:
    """How completions are drawn (`maspo.sampling`). `kind` chooses the subclass."""

    kind: str = MISSING


@dataclass
class TransformersSampler(Sampler):
    """The policy of this process decodes by itself (`maspo.sampling.transformers`)."""

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
