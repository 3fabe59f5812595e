"""The update of the real 1.5B policy without its memory: the peak by kind, beside the plan's.

    python -m benchmarks rehearsal

Every tensor of the policy is fake (torch's FakeTensorMode): it has a shape and no content, so no
machine is too small. Passes, chunked logits, checkpoints and AdamW are the package's own; torch's
memory tracker adds up what is alive. The device is the CPU, so what a GPU's own kernels need on top
is not in it.
"""

from unittest import mock

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.distributed._tools.mem_tracker import MemTracker
from transformers import Qwen2Config, Qwen2ForCausalLM

from benchmarks.harness import Measurement, Report
from maspo.config import load_experiment
from maspo.plan.hardware import POLICIES
from maspo.plan.local import pass_tokens, update_bytes
from maspo.policy import chunked, make_checkpoints, pad_batch
from maspo.policy.padding_free import use_padding_free

SIZE = "1.5B"
PASSES = 2  # with the second one the gradients of the first are there
ROWS = 4  # completions in the pass, each with a prompt of its own
# Of the plan, what a CPU without a sampler does not hold.
ABSENT = (
    "sampling engine, asleep",
    "attention's sums, backward",
    "old policy's scores of the batch",
)
KINDS = {"PARAM": "weights", "GRAD": "gradients", "OPT": "moments", "ACT": "kept activations"}
KINDS |= {"TEMP": "other", "Total": "total"}


def peak(tokens: int, chunk: int, checkpointing: bool) -> dict[str, float]:
    """Return the bytes by kind where an update of two passes of so many tokens needs most."""
    shape = POLICIES[SIZE]
    config = Qwen2Config(**shape.fields(), max_position_embeddings=tokens)
    half = tokens // ROWS // 2
    batch = pad_batch([[row] * half for row in range(1, ROWS + 1)], [[9] * half] * ROWS, 0)
    row = batch.row
    before = row.where[:, batch.prompt_columns - 1 : -1][batch.mask]
    drawn = batch.completions[batch.mask]
    # Which chunk a token is in is found from its number, so before the tensors lose their content.
    tiles = chunked._by_tile(drawn, shape.vocabulary, chunk, drawn.device)
    with (
        FakeTensorMode(allow_non_fake_inputs=True),
        mock.patch.object(chunked, "_by_tile", return_value=tiles),
    ):
        policy = Qwen2ForCausalLM(config).train()
        use_padding_free(policy)
        if checkpointing:
            make_checkpoints(policy)
        optimizer = torch.optim.AdamW(policy.parameters(), fused=True)
        for parameter in policy.parameters():
            parameter.grad = torch.zeros_like(parameter)
        optimizer.step()  # the moments are there, as from the second update on
        optimizer.zero_grad()
        tracker = MemTracker()
        tracker.track_external(policy, optimizer)
        with tracker:
            for _ in range(PASSES):
                with torch.autocast("cpu", torch.bfloat16):
                    states = policy.base_model(**row.inputs()).last_hidden_state
                hidden = states[0].index_select(0, before)
                score = (hidden, policy.lm_head.weight, drawn, chunk)
                log_probs, _ = chunked.chunked_log_probs(*score)
                (-log_probs.mean()).backward()
                del states, hidden, score, log_probs
                tracker.reset_mod_stats()  # it refuses to count a module a second time
            torch.nn.utils.clip_grad_norm_(policy.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        (found,) = tracker.get_tracker_snapshot("peak").values()
    named = {str(kind).rpartition(".")[2]: size for kind, size in found.items()}
    return {name: named[kind] for kind, name in KINDS.items()}


def measure(quick: bool) -> Report:
    """With checkpoints, as scale gpu trains; in full also without."""
    experiment = load_experiment(["scale=gpu"])
    tokens = pass_tokens(experiment)
    found = []
    for checkpointing in (True,) if quick else (True, False):
        experiment.train.gradient_checkpointing = checkpointing
        phases = update_bytes(POLICIES[SIZE], experiment).values()
        planned = max(sum(n for part, n in parts.items() if part not in ABSENT) for parts in phases)
        sizes = peak(tokens, experiment.train.logits_chunk, checkpointing)
        how = "with checkpoints" if checkpointing else "without checkpoints"
        for name, size in {**sizes, "total, plan": planned}.items():
            found.append(Measurement(f"{name}, {how}", [size / 2**20], "MiB"))
    text = (
        f"One update of {SIZE}, {PASSES} passes of {tokens:,} tokens, fake tensors on the CPU. The "
        "plan without what a CPU does not hold."
    )
    return Report("Rehearsal of an update", found, text)
