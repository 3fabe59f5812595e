"""Drawing completions from a policy, behind one protocol."""

from maspo.sampling.sampler import Completion, Sampler, SamplingSettings

__all__ = ["Completion", "Sampler", "SamplingSettings"]
