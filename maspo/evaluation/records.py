"""Records: one row for every completion of an evaluation. All metrics come from them alone."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from transformers import PreTrainedTokenizerBase

from maspo.config import Evaluate, Task
from maspo.evaluation.metrics import avg_at_k, best_at_k, pass_at_k
from maspo.files import atomic
from maspo.policy import encode_prompts
from maspo.sampling import Sampler, SamplingSettings
from maspo.seeding import derive_seed
from maspo.tasks import Problem
from maspo.tasks.problems import read_table
from maspo.verifier import Verdict, Verifier

SCHEMA = pa.schema(
    [
        ("benchmark", pa.string()),
        ("problem", pa.string()),
        ("sample", pa.int32()),
        ("seed", pa.int64()),
        ("text", pa.string()),
        ("tokens", pa.int32()),
        ("answer", pa.string()),
        ("gold", pa.string()),
        ("verdict", pa.string()),
    ]
)


def evaluate(
    benchmarks: Mapping[str, Sequence[Problem]],
    sampler: Sampler,
    tokenizer: PreTrainedTokenizerBase,
    verifier: Verifier,
    settings: Evaluate,
    task: Task,
    seed: int,
) -> pa.Table:
    """Draw `settings.samples` completions of every problem and grade them.

    The seed of a completion depends on (seed, problem, sample) and not on the policy, so two
    methods are compared on common random numbers.
    """
    problems = [p for name in benchmarks for p in benchmarks[name]]
    prompts = encode_prompts(tokenizer, problems, task.max_prompt_tokens)
    rows = [(i, sample) for i in range(len(problems)) for sample in range(settings.samples)]
    seeds = [derive_seed(seed, "evaluate", problems[i].id, sample) for i, sample in rows]
    completions = sampler.sample(
        [prompts[i] for i, _ in rows],
        seeds,
        SamplingSettings(task.max_completion_tokens, settings.temperature, settings.top_p),
    )
    golds = [problems[i].answer for i, _ in rows]
    judgements = verifier.judge_many([completion.text for completion in completions], golds)
    columns = {
        "benchmark": [problems[i].source for i, _ in rows],
        "problem": [problems[i].id for i, _ in rows],
        "sample": [sample for _, sample in rows],
        "seed": seeds,
        "text": [completion.text for completion in completions],
        "tokens": [len(completion.tokens) for completion in completions],
        "answer": [judgement.answer for judgement in judgements],
        "gold": golds,
        "verdict": [judgement.verdict.value for judgement in judgements],
    }
    return pa.table(columns, schema=SCHEMA)


def write_records(path: Path | str, records: pa.Table) -> None:
    """Write records to a Parquet file, atomically."""
    with atomic(path) as temporary:
        pq.write_table(records, temporary, compression="zstd")


def read_records(path: Path | str) -> pd.DataFrame:
    """Read a records file; DataError if it is missing, truncated or of another schema."""
    return read_table(path, SCHEMA).to_pandas()


def score(records: pd.DataFrame) -> pd.DataFrame:
    """Return one row a benchmark with avg_at_k, pass_at_k and best_at_k, k = n samples, in [0, 1].

    The mean over problems; `problems` and `samples` count what it is a mean of.

    Raises:
        ValueError: problems of one benchmark have different numbers of samples.
    """
    rows = []
    for benchmark, group in records.groupby("benchmark", sort=False):
        correct = (
            group["verdict"]
            .eq(Verdict.CORRECT.value)
            .groupby(group["problem"])
            .agg(["sum", "size"])
        )
        sizes = sorted(set(correct["size"]))
        if len(sizes) != 1:
            raise ValueError(
                f"benchmark {benchmark}: problems have {sizes} samples, not one number"
            )
        counts, n = correct["sum"].to_numpy(), int(sizes[0])
        rows.append(
            {
                "benchmark": benchmark,
                "problems": len(counts),
                "samples": n,
                "avg_at_k": avg_at_k(counts, n).mean(),
                "pass_at_k": pass_at_k(counts, n, n).mean(),
                "best_at_k": best_at_k(counts, n, n).mean(),
                "mean_tokens": group["tokens"].mean(),
                "no_answer": int(group["verdict"].eq(Verdict.NO_ANSWER.value).sum()),
                "timeout": int(group["verdict"].eq(Verdict.TIMEOUT.value).sum()),
                "error": int(group["verdict"].eq(Verdict.ERROR.value).sum()),
            }
        )
    return pd.DataFrame(rows)
