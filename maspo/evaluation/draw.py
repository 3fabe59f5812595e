"""Drawing and grading the completions of an evaluation."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
from transformers import PreTrainedTokenizerBase

from maspo.config import Evaluate, Experiment, Task
from maspo.errors import ConfigError, DataError
from maspo.evaluation.records import SCHEMA
from maspo.policy import encode_prompts, load_policy
from maspo.sampling import Sampler, SamplingSettings
from maspo.sampling.make import make_sampler
from maspo.seeding import derive_seed
from maspo.tasks import Problem
from maspo.verifier import Verifier


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
) -> pa.Table:
    """Return the records of the policy in a folder, drawn as the experiment says."""
    model = experiment.model
    policy, tokenizer = load_policy(folder, model.dtype, model.device)
    with make_sampler(experiment, policy, tokenizer) as sampler:
        how = (experiment.evaluate, experiment.task, experiment.seed)
        return draw_records(benchmarks, sampler, tokenizer, verifier, *how)


def draw_records(
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

    Raises:
        DataError: the sampler could not answer a request, which must not pass for a wrong answer.
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
    for (i, sample), completion in zip(rows, completions, strict=True):
        if completion.error:
            raise DataError(
                f"{problems[i].source}, problem {problems[i].id}, sample {sample}: "
                f"{completion.error}. Raise task.max_prompt_tokens or shorten the problem"
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
