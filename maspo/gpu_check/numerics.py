"""Draws, log-probabilities and objectives: nothing raises under deterministic algorithms."""

import torch

from maspo.gpu_check.bench import Bench
from maspo.gpu_check.check import Measured, check, expect
from maspo.objectives import PolicyBatch, make, names
from maspo.policy import chunked_log_probs, naive_log_probs, token_log_probs
from maspo.sampling import SamplingSettings
from maspo.sampling.transformers import draw

CLOSE = 0.02  # nats a token, in the mean: what bfloat16 is allowed


@check("draws of the transformers sampler")
def draws(bench: Bench) -> Measured:
    """Drawn tokens have the frequencies of the distribution, whole and of the nucleus."""
    count = 20_000
    probabilities = torch.tensor([0.4, 0.3, 0.2, 0.1, 0.0], device=bench.device)
    uniform = torch.from_numpy(bench.generator("draws").random(count, "float32"))
    logits = probabilities.log().expand(count, 5)
    worst = 0.0
    for top_p, expected in ((1.0, probabilities), (0.85, probabilities[:3] / 0.9)):
        tokens = draw(logits, uniform.to(bench.device), SamplingSettings(1, top_p=top_p))
        found = torch.bincount(tokens.cpu(), minlength=5) / count
        off = (found[: len(expected)] - expected.cpu()).abs().max().item()
        expect(off < 0.02, f"top_p={top_p}: frequencies {found.tolist()}, {expected.tolist()}")
        expect(not found[len(expected) :].any(), f"top_p={top_p}: drew what has no probability")
        worst = max(worst, off)
    return {"largest difference of a frequency": worst}


@check("log-probabilities in chunks of the vocabulary")
def chunks(bench: Bench) -> Measured:
    """Chunked values and gradients are those of whole logits, and the same bits twice."""
    shape, chunk = bench.architecture, bench.experiment.train.logits_chunk
    generator = torch.Generator().manual_seed(0)
    hidden = torch.randn(256, shape.hidden, generator=generator)
    weight = torch.randn(shape.vocabulary, shape.hidden, generator=generator) / shape.hidden**0.5
    tokens = torch.randint(shape.vocabulary, (256,), generator=generator)

    def of(score):
        one, two = (x.to(bench.device).requires_grad_() for x in (hidden, weight))
        log_prob, entropy = score(one, two)
        log_prob.sum().backward()
        return [log_prob.detach(), entropy, one.grad, two.grad]

    def chunked(one, two):
        return chunked_log_probs(one, two, tokens, chunk, 1.0, True)

    def whole(one, two):
        return naive_log_probs(one @ two.T, tokens.to(bench.device), 1.0, True)

    first, second, naive = of(chunked), of(chunked), of(whole)
    expect(all(map(torch.equal, first, second)), "the same bits did not come twice")
    off = [(a - b).abs().max().item() for a, b in zip(first, naive, strict=True)]
    allowed = 5e-2 if bench.device == "cuda" else 1e-4  # TF32 keeps 10 bits
    expect(max(off) < allowed, f"differences of {off} to whole logits")
    return {"largest difference": max(off)}


@check("bfloat16 beside float32")
def precision(bench: Bench) -> Measured:
    """Products in bfloat16 change log-probabilities by less than `CLOSE` nats in the mean."""
    policy, batch = bench.policy(), bench.batch(12, [30, 7, 19])
    chunk = bench.experiment.train.logits_chunk
    with torch.no_grad():
        exact, half = (
            token_log_probs(policy, batch, chunk=chunk, precision=kind)[0][batch.mask]
            for kind in ("float32", "bfloat16")
        )
    off = (exact - half).abs().mean().item()
    expect(0 < off < CLOSE, f"{off:.4f} nats a token in the mean; allowed are {CLOSE}")
    return {"nats a token, mean": off}


@check("every objective, forward and backward")
def objectives(bench: Bench) -> Measured:
    """No objective has an operation that is refused, and each repeats its bits."""
    generator = torch.Generator().manual_seed(0)
    old = torch.rand(8, 40, generator=generator).log()
    moved = old + 0.3 * torch.randn(8, 40, generator=generator)
    mask = torch.rand(8, 40, generator=generator) < 0.8
    advantages = torch.randn(8, 1, generator=generator).expand(8, 40)
    entropy = torch.rand(8, 40, generator=generator)
    for name in names():
        found = []
        for _ in range(2):
            log_prob = moved.to(bench.device).requires_grad_()
            others = (x.to(bench.device) for x in (old, advantages, mask, entropy))
            loss = make(name)(PolicyBatch(log_prob, *others)).loss
            loss.backward()
            found.append(log_prob.grad)
        expect(bool(found[0].isfinite().all()), f"{name}: a gradient that is no number")
        expect(torch.equal(*found), f"{name}: the same bits did not come twice")
    return {"objectives": len(names())}
