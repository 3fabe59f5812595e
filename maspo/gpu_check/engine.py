"""vLLM's engine beside the policy: it sleeps, wakes and takes new weights."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import torch

from maspo.determinism import check_still_set
from maspo.gpu_check.bench import Bench
from maspo.gpu_check.check import Measured, check, expect
from maspo.policy import pad_batch, token_log_probs
from maspo.sampling import SamplingSettings
from maspo.sampling.make import make_sampler

ASLEEP = 2e9  # bytes that a sleeping engine may keep
OFF_PLAN = 0.1  # of the engine's share of the card
GAP = 0.05  # nats a token, in the mean, between engine and trainer


@check("engine: start, sleep, new weights three times", library="vllm")
def engine(bench: Bench) -> Measured:
    """Asleep it keeps little; its log-probabilities follow the policy; torch stays as it was."""
    experiment, policy = bench.experiment, bench.policy()
    tokens = min(128, experiment.task.max_completion_tokens)
    prompts = bench.prompts
    greedy = SamplingSettings(tokens, temperature=1e-4)
    bench.free()
    before = _used() if bench.device == "cuda" else 0
    measured: Measured = {"nats between engine and trainer": []}
    with make_sampler(experiment, policy, bench.tokenizer) as sampler:
        check_still_set(experiment.threads, tf32=experiment.train.precision == "bfloat16")
        texts = set()
        for update in range(3):
            with _watched(bench) as most:
                drawn = sampler.sample(prompts, list(range(8)), SamplingSettings(tokens))
            gap = _gap(bench, policy, prompts, drawn)
            measured["nats between engine and trainer"].append(gap)
            expect(gap < GAP, f"after {update} updates: {gap:.3f} nats a token in the mean")
            texts.add(sampler.sample(prompts[:1], [0], greedy)[0].tokens)
            with torch.no_grad():
                for weight in policy.parameters():
                    weight.add_(0.01 * torch.randn_like(weight))
        expect(len(texts) == 3, "greedy completions did not change with the weights")
        if bench.device == "cuda":
            bench.free()
            measured |= _memory(bench, _used() - before, max(most) - before)
    return measured


def _memory(bench: Bench, asleep: int, awake: int) -> Measured:
    """Compare the engine's bytes with what it may keep, and with its share of the card."""
    share = bench.experiment.sampler.memory_share
    planned = share * torch.cuda.get_device_properties(0).total_memory
    found = {"GB asleep": asleep / 1e9, "GB awake": awake / 1e9, "GB planned": planned / 1e9}
    expect(asleep <= ASLEEP, f"too much of the engine is left while it sleeps: {found}")
    expect(abs(awake / planned - 1) <= OFF_PLAN, f"not near its share of the card: {found}")
    return found


def _used() -> int:
    """Bytes of the card that are taken, by whomever."""
    free, total = torch.cuda.mem_get_info()
    return total - free


@contextmanager
def _watched(bench: Bench) -> Iterator[list[int]]:
    """Give a list of the bytes of the card that are taken during the block, ten times a second."""
    seen, ended = [0], Event()

    def watch() -> None:
        while not ended.wait(0.1):
            seen.append(_used())

    watcher = Thread(target=watch)
    if bench.device == "cuda":
        watcher.start()
    yield seen
    ended.set()
    if bench.device == "cuda":
        watcher.join()


def _gap(bench: Bench, policy, prompts, drawn) -> float:
    """Mean distance of the engine's and the trainer's log-probabilities."""
    padded = pad_batch(
        prompts, [c.tokens for c in drawn], bench.tokenizer.pad_token_id, bench.device
    )
    train = bench.experiment.train
    with torch.no_grad():
        ours, _ = token_log_probs(
            policy, padded, chunk=train.logits_chunk, precision=train.precision
        )
    theirs = torch.cat([torch.tensor(completion.log_probs) for completion in drawn])
    return (ours[padded.mask].cpu() - theirs).abs().mean().item()
