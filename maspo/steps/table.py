"""Step: the tables of one sweep, from the records of its runs."""

from maspo.config import Experiment, sweep_variants
from maspo.errors import ConfigError
from maspo.files import write_text
from maspo.layout import BASE_VARIANT
from maspo.reporting.scores import mean_scores, run_scores
from maspo.reporting.tables import latex_table, markdown_table
from maspo.steps.common import StepRecord, run_step


def table(experiment: Experiment) -> None:
    """Write tables/<sweep>.csv, .md and .tex (means) and <sweep>_runs.csv (every run).

    ``sweeps=[name]`` names the sweep; with ``variants=[...]`` it need not have a file.
    """
    if len(experiment.sweeps) != 1:
        raise ConfigError(f"sweeps={experiment.sweeps}: this step makes the tables of one sweep")
    record = StepRecord("table", experiment)
    (sweep,) = experiment.sweeps
    variants = experiment.variants or sweep_variants(sweep)
    seeds = range(1, experiment.seeds + 1)
    runs = [(BASE_VARIANT, 0), *((variant, seed) for variant in variants for seed in seeds)]
    scores = run_scores(record.layout, runs)
    means = mean_scores(scores)
    folder = record.layout.tables
    samples = int(scores["samples"].iloc[0])
    texts = {
        f"{sweep}_runs.csv": scores.to_csv(index=False),
        f"{sweep}.csv": means.to_csv(index=False),
        f"{sweep}.md": markdown_table(means, samples),
        f"{sweep}.tex": latex_table(means, samples),
    }
    for name, text in texts.items():
        write_text(folder / name, text)
    record.finish(
        folder,
        {"sweep": sweep, "variants": list(variants), "seeds": list(seeds)},
        {},
        [record.layout.evaluation(*run) / "records.parquet" for run in runs],
        [folder / name for name in texts],
        manifest=f"{sweep}_manifest.json",
    )


if __name__ == "__main__":
    run_step(table)
