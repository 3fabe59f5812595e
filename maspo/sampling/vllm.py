"""Sampling by an engine of vLLM in this process, which takes the policy's weights over.

The engine starts with dummy weights. Every call of `sample` first copies the policy's, so that,
as with the transformers sampler, completions always come from its current weights.
"""

import gc
import os
import tempfile
from array import array
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Self

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from maspo.config.sampler import VllmSampler as Settings
from maspo.errors import ConfigError
from maspo.policy import end_tokens
from maspo.sampling.sampler import Completion, SamplingSettings
from maspo.sampling.vllm_cpu import check_heads, keep_weights

ENVIRONMENT = {
    "VLLM_ENABLE_V1_MULTIPROCESSING": "0",  # the engine shares this process: no copies on disk
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",  # the trainer's threads stay where they are
    "VLLM_CPU_KVCACHE_SPACE": "1",  # GiB
    "VLLM_NO_USAGE_STATS": "1",
    # It is compiled at the first start and draws for no request that has a seed, as ours have.
    "VLLM_USE_FLASHINFER_SAMPLER": "0",
}
LOGGING = {"cpu": "WARNING", "cuda": "INFO"}  # on a GPU the start takes minutes: say what it does


def environment(device: str) -> dict[str, str]:
    """Return the variables of vLLM that are set where the user has not set them."""
    return {**ENVIRONMENT, "VLLM_LOGGING_LEVEL": LOGGING[device]}


class VllmSampler:
    """A `Sampler` and context manager over one engine, for policies on a CPU or on one GPU.

    Completions carry log-probabilities if they are asked for, of the distribution that was drawn
    from (after temperature and nucleus). A prompt that leaves less than `max_tokens` of the context
    is an error of its own completion. `cached_tokens` counts the prompt tokens of the last call
    whose keys and values another request had left in the prefix cache.

    Args:
        context: tokens of the longest prompt and completion together.
        device: of the engine, cpu or cuda; default: the policy's. The weights of a policy on the
            CPU reach an engine on the GPU too, so that an evaluation has the GPU for itself.

    Raises:
        ConfigError: vLLM is not installed or has no kernel for the policy's heads, or sleep is
            asked for without a GPU.
    """

    def __init__(
        self,
        policy: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        settings: Settings,
        context: int,
        device: str | None = None,
    ) -> None:
        self.policy, self.tokenizer, self.settings = policy, tokenizer, settings
        self.context, self.device = context, device or policy.device.type
        self.engine: Any = None
        self.cached_tokens = 0
        if settings.sleep and self.device != "cuda":
            raise ConfigError(
                f"sampler.sleep=true needs a GPU, and the engine is on {self.device}: "
                "set sampler.sleep=false"
            )

    def __enter__(self) -> Self:
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        if find_spec("vllm") is None:
            raise ConfigError(
                "sampler.kind='vllm' needs vLLM, which is not installed here: on a CPU `make "
                "test-vllm` installs it into .venv-vllm; on a GPU `pip install -c "
                "constraints/vllm-cuda.txt -e '.[vllm]'`; or set sampler=transformers"
            )
        for name, value in environment(self.device).items():
            os.environ.setdefault(name, value)
        # vLLM's worker sets torch's precision by this, in our process: the trainer's has to stay.
        os.environ["VLLM_FLOAT32_MATMUL_PRECISION"] = torch.get_float32_matmul_precision()
        import vllm.model_executor.layers.utils as layers
        from vllm import LLM

        on_cpu = self.device == "cpu"
        if on_cpu:
            check_heads(self.policy.config)
            keep_weights(layers)
        set_num_threads, threads = torch.set_num_threads, torch.get_num_threads()
        with tempfile.TemporaryDirectory() as folder:
            self.policy.config.save_pretrained(folder)
            self.engine = LLM(
                model=folder,
                skip_tokenizer_init=True,
                load_format="dummy",
                dtype=self.settings.dtype,
                max_model_len=self.context,
                max_num_seqs=self.settings.max_num_seqs,
                gpu_memory_utilization=self.settings.memory_share,
                enable_prefix_caching=self.settings.enable_prefix_caching,
                # A prompt in two passes rewinds its request's generator, which none on a CPU can.
                enable_chunked_prefill=not on_cpu,
                enforce_eager=self.settings.enforce_eager,
                enable_sleep_mode=self.settings.sleep,
                enable_flashinfer_autotune=False,  # minutes of every start
                logprobs_mode="processed_logprobs",
                disable_log_stats=True,
                seed=0,  # of no draw: each request has a seed of its own
            )
        # The engine takes both from the trainer: the function on a CPU, the threads on a GPU.
        torch.set_num_threads = set_num_threads
        torch.set_num_threads(threads)
        self._sleep()

    def close(self) -> None:
        """Stop the engine and give its memory back; a second call does nothing."""
        if self.engine is None:
            return
        self.engine.llm_engine.engine_core.shutdown()
        self.engine = None
        from vllm.distributed import cleanup_dist_env_and_memory

        cleanup_dist_env_and_memory()
        gc.collect()

    def update_weights(self) -> None:
        """Copy the policy's weights into the engine, and drop what it cached of the old ones."""
        weights = self.policy.state_dict()
        self.engine.apply_model(lambda model: _load(model, weights))
        self.engine.reset_prefix_cache()

    def _sleep(self) -> None:
        if self.settings.sleep:
            self.engine.sleep(level=2)  # weights are dropped: the next call copies them anyway

    def _wake(self) -> None:
        if self.settings.sleep:
            torch.cuda.empty_cache()
            self.engine.wake_up(["weights"])

    def sample(
        self,
        prompts: Sequence[Sequence[int]],
        seeds: Sequence[int],
        settings: SamplingSettings,
    ) -> list[Completion]:
        """See `Sampler.sample`."""
        fits = [i for i, p in enumerate(prompts) if len(p) + settings.max_tokens <= self.context]
        self._wake()
        self.update_weights()
        if self.settings.sleep:
            self.engine.wake_up(["kv_cache"])
        outputs = self.engine.generate(
            [{"prompt_token_ids": list(prompts[i])} for i in fits],
            [self._request(seeds[i], settings) for i in fits],
            use_tqdm=False,
        )
        self._sleep()
        self.cached_tokens = sum(output.num_cached_tokens or 0 for output in outputs)
        drawn = {i: self._completion(o.outputs[0]) for i, o in zip(fits, outputs, strict=True)}
        return [drawn.get(i) or self._too_long(p, settings) for i, p in enumerate(prompts)]

    def _request(self, seed: int, settings: SamplingSettings) -> Any:
        from vllm import SamplingParams

        return SamplingParams(
            seed=seed,
            temperature=settings.temperature,
            top_p=settings.top_p,
            max_tokens=settings.max_tokens,
            stop_token_ids=end_tokens(self.policy, self.tokenizer),
            logprobs=0 if settings.log_probs else None,  # 0: of the drawn token alone
            flat_logprobs=True,  # numbers in lists, where an object a token takes 434 bytes
            detokenize=False,
        )

    def _completion(self, output: Any) -> Completion:
        tokens = tuple(output.token_ids)
        text = self.tokenizer.decode(tokens, skip_special_tokens=True)
        if (flat := output.logprobs) is None:
            return Completion(tokens, text)
        return Completion(tokens, text, array("f", [flat.logprobs[i] for i in flat.start_indices]))

    def _too_long(self, prompt: Sequence[int], settings: SamplingSettings) -> Completion:
        error = (
            f"prompt of {len(prompt)} tokens and completion of {settings.max_tokens} are longer "
            f"than the context of {self.context}"
        )
        return Completion((), "", error=error)


def _load(model: torch.nn.Module, weights: dict[str, torch.Tensor]) -> None:
    with torch.no_grad():
        model.load_weights(weights.items())
