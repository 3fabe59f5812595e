"""Drawing and grading the completions of an evaluation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from transformers import PreTrainedTokenizerBase

from maspo.config import Evaluate, Experiment, Task
from maspo.errors import ConfigError, DataError
from maspo.evaluation.records import SCHEMA, read_part, write_records
from maspo.policy import encode_prompts, load_policy
from maspo.sampling import Sampler, SamplingSettings
from maspo.sampling.make import make_sampler
from maspo.seeding import derive_seed
from maspo.tasks import Problem
from maspo.verifier import Verifier

# Completions are drawn, graded and kept so many tokens at a time, each counted at its longest. At
# scale gpu that is a sixth of an evaluation, a quarter of an hour; at scale mini there is one part.
PART_TOKENS = 2**26


def snapshot_benchmarks(
    benchmarks: Mapping[str, Sequence[Problem]], settings: Evaluate
) -> dict[str, Sequence[Problem]]:
    """Return the first problems of each benchmark, which are drawn at random like the rest.

    Raises:
        ConfigError: a benchmark has fewer than `settings.snapshot_problems`.
    """
    count = settings.snapshot_problems
    for name, problems in benchmarks.items():
        if len(problems) < count:
            raise ConfigError(
                f"evaluate.snapshot_problems={count}: benchmark {name} has {len(problems)} "
                "problems; set it to the size of the smallest benchmark or less"
            )
    return {name: problems[:count] for name, problems in benchmarks.items()}


def evaluate_policy(
    experiment: Experiment,
    verifier: Verifier,
    folder: Path,
    benchmarks: Mapping[str, Sequence[Problem]],
    parts: Path | None = None,
) -> pa.Table:
    """Return the records of the policy in a folder, drawn as the experiment says.

    Those of a killed evaluation are taken from `parts`, see `draw_records`.
    """
    model = experiment.model
    # An engine of its own has the GPU for itself: the policy is only copied into it.
    place = "cpu" if experiment.sampler.own_engine else model.device
    policy, tokenizer = load_policy(folder, model.dtype, place)
    with make_sampler(experiment, policy, tokenizer) as sampler:
        how = (experiment.evaluate, experiment.task, experiment.seed)
        return draw_records(benchmarks, sampler, tokenizer, verifier, *how, parts)


def draw_records(
    benchmarks: Mapping[str, Sequence[Problem]],
    sampler: Sampler,
    tokenizer: PreTrainedTokenizerBase,
    verifier: Verifier,
    settings: Evaluate,
    task: Task,
    seed: int,
    parts: Path | None = None,
) -> pa.Table:
    """Draw `settings.samples` completions of every problem and grade them.

    The seed of a completion depends on (seed, problem, sample) and not on the policy, so two
    methods are compared on common random numbers. Parts of `PART_TOKENS` are kept in the folder
    `parts` as they are done, and what is there already is not drawn again.

    Raises:
        DataError: the sampler could not answer a request, which must not pass for a wrong answer.
    """
    problems = [p for name in benchmarks for p in benchmarks[name]]
    prompts = encode_prompts(tokenizer, problems, task.max_prompt_tokens)
    rows = [(i, sample) for i in range(len(problems)) for sample in range(settings.samples)]
    size = max(1, PART_TOKENS // task.max_completion_tokens)
    tables = []
    for first in range(0, len(rows), size):
        file = parts / f"part_{first}.parquet" if parts else None
        if file and file.is_file():
            tables.append(read_part(file))
            continue
        part = [(problems[i], prompts[i], sample) for i, sample in rows[first : first + size]]
        tables.append(_draw_part(part, sampler, verifier, settings, task, seed))
        if file:
            write_records(file, tables[-1])
    return pa.concat_tables(tables).combine_chunks()


def _draw_part(
    part: Sequence[tuple[Problem, list[int], int]],
    sampler: Sampler,
    verifier: Verifier,
    settings: Evaluate,
    task: Task,
    seed: int,
) -> pa.Table:
    """Return the records of some (problem, prompt, sample)."""
    seeds = [derive_seed(seed, "evaluate", problem.id, sample) for problem, _, sample in part]
    how = SamplingSettings(
        task.max_completion_tokens, settings.temperature, settings.top_p, log_probs=False
    )
    completions = sampler.sample([prompt for _, prompt, _ in part], seeds, how)
    for (problem, _, sample), completion in zip(part, completions, strict=True):
        if completion.error:
            raise DataError(
                f"{problem.source}, problem {problem.id}, sample {sample}: "
                f"{completion.error}. Raise task.max_prompt_tokens or shorten the problem"
            )
    golds = [problem.answer for problem, _, _ in part]
    judgements = verifier.judge_many([completion.text for completion in completions], golds)
    columns = {
        "benchmark": [problem.source for problem, _, _ in part],
        "problem": [problem.id for problem, _, _ in part],
        "sample": [sample for _, _, sample in part],
        "seed": seeds,
        "text": [completion.text for completion in completions],
        "tokens": [len(completion.tokens) for completion in completions],
        "answer": [judgement.answer for judgement in judgements],
        "gold": golds,
        "verdict": [judgement.verdict.value for judgement in judgements],
    }
    return pa.table(columns, schema=SCHEMA)
