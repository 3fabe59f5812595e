"""What the checks work on: a random policy, and settings of scale gpu at a size for minutes."""

import gc
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from transformers import Qwen2Config, Qwen2ForCausalLM

from maspo.config import Experiment, load_experiment
from maspo.plan.hardware import POLICIES, Architecture
from maspo.policy import PaddedBatch, pad_batch
from maspo.seeding import numpy_generator
from maspo.tasks import Problem

RUN = [
    "scale=gpu",
    "variant=maspo",
    "seed=1",
    "train.steps=2",
    "train.prompts_per_batch=8",
    "train.updates_per_batch=4",
    "train.checkpoint_every=1",
    "train.reward=random",  # no completion of a random policy is right
    "train.lr=1e-4",  # two steps have to be seen
    "evaluate.samples=8",
]
SIZES = {
    "cuda": ["task.max_prompt_tokens=64", "task.max_completion_tokens=2048"],
    "cpu": [
        "model.device=cpu",
        "threads=1",
        "task.max_prompt_tokens=16",
        "task.max_completion_tokens=48",
        "train.micro_batch_tokens=256",
        "train.logits_chunk=128",
    ],
}
# The architecture of the 1.5B policy; on a CPU its grouped queries with heads that vLLM takes.
POLICY = {"cuda": POLICIES["1.5B"], "cpu": Architecture(128, 2, 4, 2, 256, 512, 32)}


class IdTokenizer:
    """Texts are numbers: enough of a tokenizer for a policy that was taught nothing."""

    pad_token_id, eos_token_id, name_or_path = 0, 1, "numbers"

    def decode(self, tokens: Sequence[int], skip_special_tokens: bool = True) -> str:
        return " ".join(str(token) for token in tokens if token > self.eos_token_id)

    def batch_decode(
        self, rows: Sequence[Sequence[int]], skip_special_tokens: bool = True
    ) -> list[str]:
        return [self.decode(row) for row in rows]

    def apply_chat_template(
        self, conversations: Sequence[list[dict[str, str]]], **_: Any
    ) -> list[list[int]]:
        texts = [messages[0]["content"] for messages in conversations]
        return [[2 + ord(character) % 100 for character in text] for text in texts]


@dataclass
class Bench:
    """The device under test, cuda or cpu, and what is run on it."""

    device: str
    tokens: int | None = None  # at most in a completion; None: those of `SIZES`

    def __post_init__(self) -> None:
        self.tokenizer = IdTokenizer()
        self.architecture = POLICY[self.device]

    @cached_property
    def experiment(self) -> Experiment:
        """The settings of the run; the sampler is vLLM's where that is installed."""
        sampler, tokens = {"cuda": "vllm_gpu", "cpu": "vllm"}[self.device], self.tokens
        if find_spec("vllm") is None:
            sampler = {"cuda": "transformers_1_5b", "cpu": "transformers"}[self.device]
            tokens = tokens or {"cuda": 512}.get(self.device)  # 50 ms each for transformers
        most = [] if tokens is None else [f"task.max_completion_tokens={tokens}"]
        return load_experiment([*RUN, *SIZES[self.device], *most, f"sampler={sampler}"])

    def policy(self, layers: int | None = None) -> Qwen2ForCausalLM:
        """Return the random policy, the same at every call, in float32; at most so many layers."""
        fields = self.architecture.fields()
        fields["num_hidden_layers"] = min(fields["num_hidden_layers"], layers or sys.maxsize)
        config = Qwen2Config(
            **fields,
            max_position_embeddings=131_072,
            pad_token_id=self.tokenizer.pad_token_id,
            eos_token_id=self.tokenizer.eos_token_id,
            bos_token_id=None,
        )
        torch.manual_seed(0)
        with torch.device(self.device):
            return Qwen2ForCausalLM(config).eval()

    @property
    def problems(self) -> list[Problem]:
        """Eight problems without an answer that a random policy gives."""
        return [Problem.create(f"problem {i}", "1/2", "numbers") for i in range(8)]

    @property
    def prompts(self) -> list[list[int]]:
        """Their prompts."""
        return [self.tokenizer.apply_chat_template(list(p.messages)) for p in self.problems]

    def batch(self, prompt: int, lengths: Sequence[int]) -> PaddedBatch:
        """Return one prompt of so many tokens with completions of these lengths."""
        draw = numpy_generator(0, "gpu check")
        ids = [draw.integers(2, self.architecture.vocabulary, n).tolist() for n in lengths]
        first = draw.integers(2, self.architecture.vocabulary, prompt).tolist()
        return pad_batch([first] * len(ids), ids, self.tokenizer.pad_token_id, self.device)

    def generator(self, name: str) -> np.random.Generator:
        """Return a generator of this name."""
        return numpy_generator(0, "gpu check", name)

    def free(self) -> None:
        """Give back what a check has left on the GPU."""
        gc.collect()
        if self.device == "cuda":
            torch.cuda.empty_cache()
