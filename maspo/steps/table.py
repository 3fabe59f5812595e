"""Step: the tables of one study, from the records of its runs."""

from dataclasses import asdict

from maspo.config import Experiment, load_suite
from maspo.errors import ConfigError
from maspo.files import write_text
from maspo.layout import BASE_VARIANT
from maspo.reporting.scores import mean_scores, run_scores
from maspo.reporting.tables import latex_table, markdown_table
from maspo.steps.common import StepRecord, run_step


def table(experiment: Experiment) -> None:
    """Write <suite>/tables/<study>.csv, .md and .tex (means) and <study>_runs.csv (every run)."""
    record = StepRecord("table", experiment)
    studies = load_suite(experiment)
    name = experiment.study
    if name not in studies:
        raise ConfigError(f"study={name}: the suite {experiment.suite!r} has {sorted(studies)}")
    study = studies[name]
    runs = [(BASE_VARIANT, 0), *study.runs]
    scores = run_scores(record.layout, runs)
    means = mean_scores(scores)
    folder = record.layout.tables(experiment.suite)
    samples = int(scores["samples"].iloc[0])
    texts = {
        f"{name}_runs.csv": scores.to_csv(index=False),
        f"{name}.csv": means.to_csv(index=False),
        f"{name}.md": markdown_table(means, samples),
        f"{name}.tex": latex_table(means, samples),
    }
    for file, text in texts.items():
        write_text(folder / file, text)
    record.finish(
        folder,
        asdict(study),
        {},
        [record.layout.evaluation(*run) / "records.parquet" for run in runs],
        [folder / file for file in texts],
        manifest=f"{name}_manifest.json",
    )


if __name__ == "__main__":
    run_step(table, needs=("study",))
